// .NET as the host: a token's key in SslStream, through P/Invoke.
//
// usage: host LIBHSMTLS FOLDER before|after
//
// "before": hsmtls is there before .NET has used OpenSSL; "after": an SslStream was used first.
using System;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;

[assembly: SupportedOSPlatform("linux")]

internal static unsafe partial class Hsmtls
{
    [StructLayout(LayoutKind.Sequential)]
    public struct IdentityOptions
    {
        public uint StructSize, DeadlineMs;
        public nint Key, Certificate, Module, Login;
        public uint Require, Flags;
        public nint OnEvent, EventUser, EventRelease;
    }

    [LibraryImport("hsmtls")] public static partial int hsmtls_openssl_bind(nint method, nint digest, out nint error);
    [LibraryImport("hsmtls")] public static partial nint hsmtls_openssl_where();
    [LibraryImport("hsmtls")] public static partial nint hsmtls_error_message(nint error);
    [LibraryImport("hsmtls")] public static partial int hsmtls_identity_open(ref IdentityOptions options, out nint identity, out nint error);
    [LibraryImport("hsmtls")] public static partial int hsmtls_identity_evp_pkey(nint identity, uint kind, out nint key, out nint error);

    public static void Check(int code, nint error)
    {
        if (code != 0) throw new InvalidOperationException(Marshal.PtrToStringUTF8(hsmtls_error_message(error)));
    }
}

internal static class Host
{
    private const uint Hybrid = 2;

    private static async Task Main(string[] arguments)
    {
        var (library, folder, when) = (arguments[0], arguments[1], arguments[2]);
        NativeLibrary.SetDllImportResolver(typeof(Host).Assembly, (name, _, _) => name == "hsmtls" ? NativeLibrary.Load(library) : 0);
        using var ca = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, "ca.pem"));
        using var peer = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "server.pem"), Path.Combine(folder, "server.key"));
        if (when == "after") Expect("localhost", await Handshake(peer, peer, ca));
        Bind();
        foreach (var name in new[] { "ec", "rsa" })
        {
            using var device = WithTokenKey(folder, name);
            Expect("device-" + name, await Handshake(device, peer, ca));
        }
        Expect("localhost", await Handshake(peer, peer, ca));
        Console.WriteLine("where: " + Marshal.PtrToStringUTF8(Hsmtls.hsmtls_openssl_where()));
        Console.WriteLine($"own: {SafeEvpPKeyHandle.OpenSslVersion:x}");
    }

    // The copy that .NET has loaded: asking for the version makes it load one.
    private static unsafe void Bind()
    {
        _ = SafeEvpPKeyHandle.OpenSslVersion;
        var libssl = NativeLibrary.Load("libssl.so.3");
        var method = (delegate* unmanaged<nint>)NativeLibrary.GetExport(libssl, "TLS_method");
        Hsmtls.Check(Hsmtls.hsmtls_openssl_bind(method(), 0, out var error), error);
    }

    private static X509Certificate2 WithTokenKey(string folder, string name)
    {
        var file = Path.Combine(folder, name + ".pem");
        var options = new Hsmtls.IdentityOptions
        {
            StructSize = (uint)Marshal.SizeOf<Hsmtls.IdentityOptions>(),
            Key = Marshal.StringToCoTaskMemUTF8("pkcs11:token=edge;object=" + name),
            Certificate = Marshal.StringToCoTaskMemUTF8(file),
        };
        Hsmtls.Check(Hsmtls.hsmtls_identity_open(ref options, out var identity, out var error), error);
        Hsmtls.Check(Hsmtls.hsmtls_identity_evp_pkey(identity, Hybrid, out var key, out error), error);
        using var handle = new SafeEvpPKeyHandle(key, ownsHandle: true);
        using var leaf = X509CertificateLoader.LoadCertificateFromFile(file);
        if (name == "ec")
        {
            using var ecdsa = new ECDsaOpenSsl(handle);
            return leaf.CopyWithPrivateKey(ecdsa);
        }
        using var rsa = new RSAOpenSsl(handle);
        return leaf.CopyWithPrivateKey(rsa);
    }

    // Returns the common name that the server saw.
    private static async Task<string> Handshake(X509Certificate2 device, X509Certificate2 peer, X509Certificate2 ca)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        var accepting = listener.AcceptTcpClientAsync();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var accepted = await accepting;
        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { ca },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        await using var server = new SslStream(accepted.GetStream());
        await using var stream = new SslStream(client.GetStream());
        await Task.WhenAll(
            server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificate = peer,
                ClientCertificateRequired = true,
                CertificateChainPolicy = trust,
            }),
            stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ClientCertificates = [device],
                CertificateChainPolicy = trust,
                AllowTlsResume = false,
            }));
        using var seen = new X509Certificate2(server.RemoteCertificate!);
        return seen.GetNameInfo(X509NameType.SimpleName, false);
    }

    private static void Expect(string expected, string seen)
    {
        if (expected != seen) throw new InvalidOperationException($"the peer saw {seen}, not {expected}");
    }
}
