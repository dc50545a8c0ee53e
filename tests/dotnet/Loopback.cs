using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace HsmTls.Tests;

/// <summary>Two sides of a handshake over loopback, and what became of each.</summary>
internal sealed record Loopback(Side Client, Side Server)
{
    public static async Task<Loopback> Connect(SslClientAuthenticationOptions client, SslServerAuthenticationOptions server)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var connection = new TcpClient();
        var accepting = listener.AcceptTcpClientAsync();
        await connection.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var accepted = await accepting;
        var sides = await Task.WhenAll(
            Side.Run(connection, stream => stream.AuthenticateAsClientAsync(client), "ping"u8.ToArray(), speaksFirst: true),
            Side.Run(accepted, stream => stream.AuthenticateAsServerAsync(server), "pong"u8.ToArray(), speaksFirst: false));
        return new(sides[0], sides[1]);
    }

    /// <summary>A client that trusts the root alone.</summary>
    public static SslClientAuthenticationOptions ClientOf(string targetHost, SslProtocols protocol = SslProtocols.None) => new()
    {
        TargetHost = targetHost,
        EnabledSslProtocols = protocol,
        CertificateChainPolicy = TrustInRoot(),
        AllowTlsResume = false,
    };

    /// <summary>A server with a software key that wants a client certificate, and trusts the root alone.</summary>
    public static SslServerAuthenticationOptions ServerOf(SslProtocols protocol = SslProtocols.None) => new()
    {
        ServerCertificate = Device.Peer,
        EnabledSslProtocols = protocol,
        ClientCertificateRequired = true,
        CertificateChainPolicy = TrustInRoot(),
        AllowTlsResume = false,
    };

    public static X509ChainPolicy TrustInRoot() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Device.Root },
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };
}

/// <summary>One side: what it saw of the other, or why it gave up.</summary>
internal sealed record Side(string? PeerName, SslProtocols Protocol, Exception? Error)
{
    public static async Task<Side> Run(TcpClient connection, Func<SslStream, Task> handshake, byte[] words, bool speaksFirst)
    {
        await using var stream = new SslStream(connection.GetStream());
        try
        {
            await handshake(stream);
            // A TLS 1.3 client has finished before the server has looked at its certificate: an answer settles it.
            if (speaksFirst) await stream.WriteAsync(words);
            await stream.ReadExactlyAsync(new byte[words.Length]);
            if (!speaksFirst) await stream.WriteAsync(words);
        }
        catch (Exception why) when (why is AuthenticationException or IOException)
        {
            connection.Close();
            return new(null, SslProtocols.None, why);
        }
        var peer = (X509Certificate2?)stream.RemoteCertificate;
        return new(peer?.GetNameInfo(X509NameType.SimpleName, forIssuer: false), stream.SslProtocol, null);
    }
}
