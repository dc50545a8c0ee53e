#:package HsmTls@0.1.0
// Handshakes of a client with a key in a token, and with a software key of the same kind, by turns.
//
//   dotnet run handshakes.cs KEY-URI CA-FILE PEER-CERTIFICATE PEER-KEY
//
// Prints one line of JSON: the medians of the rounds.
using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using HsmTls;

const int Rounds = 7, HandshakesPerRound = 60, AtOnce = 4;

using var device = HsmIdentity.Open(args[0]);
using var peer = X509Certificate2.CreateFromPemFile(args[2], args[3]);
var trust = new X509ChainPolicy
{
    TrustMode = X509ChainTrustMode.CustomRootTrust,
    CustomTrustStore = { X509Certificate2.CreateFromPem(File.ReadAllText(args[1])) },
    RevocationMode = X509RevocationMode.NoCheck,
};
using var listener = new TcpListener(IPAddress.Loopback, 0);
listener.Start();
_ = Serve();

using var software = SoftwareCertificate();
SslStreamCertificateContext[] contexts =
    [device.CertificateContext, SslStreamCertificateContext.Create(software, [], offline: true)];
foreach (var context in contexts) await Round(context); // warm
var measured = new List<(double PerSecond, double ConnectMs)>[] { [], [] };
for (var round = 0; round < Rounds; round++)
{
    for (var which = 0; which < contexts.Length; which++) measured[which].Add(await Round(contexts[which]));
}
Console.WriteLine(
    $$"""{"runtime": ".NET {{Environment.Version}}", "key": "{{device.Info.KeyName}}", "hsmtls": {{Shown(measured[0])}}, "software": {{Shown(measured[1])}}}""");
return 0;

static string Shown(List<(double PerSecond, double ConnectMs)> all)
{
    var (perSecond, connectMs) = (Median(all.Select(one => one.PerSecond)), Median(all.Select(one => one.ConnectMs)));
    return FormattableString.Invariant($$"""{"handshakes_per_second": {{perSecond:F0}}, "connect_ms": {{connectMs:F2}}}""");
}

async Task<(double PerSecond, double ConnectMs)> Round(SslStreamCertificateContext context)
{
    var each = new double[HandshakesPerRound];
    var time = Stopwatch.StartNew();
    await Parallel.ForAsync(0, HandshakesPerRound, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (index, _) =>
    {
        var begun = Stopwatch.GetTimestamp();
        await Connect(context);
        each[index] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    });
    return (HandshakesPerRound / time.Elapsed.TotalSeconds, Median(each));
}

async Task Connect(SslStreamCertificateContext context)
{
    using var connection = new TcpClient { NoDelay = true }; // else a delayed acknowledgement is what is measured
    await connection.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
    await using var stream = new SslStream(connection.GetStream());
    await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
    {
        TargetHost = "localhost",
        ClientCertificateContext = context,
        CertificateChainPolicy = trust,
        AllowTlsResume = false,
    });
    await stream.ReadExactlyAsync(new byte[1]); // the peer has looked at our certificate
}

async Task Serve()
{
    var options = new SslServerAuthenticationOptions
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(peer, [], offline: true),
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        AllowTlsResume = false,
    };
    while (true) _ = Answer(await listener.AcceptTcpClientAsync(), options);
}

static async Task Answer(TcpClient connection, SslServerAuthenticationOptions options)
{
    using var accepted = connection;
    accepted.NoDelay = true;
    await using var stream = new SslStream(accepted.GetStream());
    await stream.AuthenticateAsServerAsync(options);
    await stream.WriteAsync(new byte[1]);
    await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false); // until the client has gone
}

X509Certificate2 SoftwareCertificate()
{
    var (from, until) = (DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
    if (device.Info.KeyType == HsmKeyType.Rsa)
    {
        using var rsa = RSA.Create(device.Info.KeyBits);
        return new CertificateRequest("CN=software", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(from, until);
    }
    using var ecdsa = ECDsa.Create(device.Certificate.GetECDsaPublicKey()!.ExportParameters(false).Curve);
    return new CertificateRequest("CN=software", ecdsa, HashAlgorithmName.SHA256).CreateSelfSigned(from, until);
}

static double Median(IEnumerable<double> all)
{
    var sorted = all.Order().ToArray();
    return sorted[sorted.Length / 2];
}
