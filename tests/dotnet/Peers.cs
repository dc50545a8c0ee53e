using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HsmTls.Tests;

/// <summary>Peers that .NET refuses while our key is in use, and one that refuses us.</summary>
public class Peers
{
    private static X509Certificate2 SelfMade(string name, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(until.AddDays(-1), until);
    }

    // By .NET, for that reason, on both sides, and not for want of our signature.
    private static async Task AssertRefused(X509Certificate2 peer, string targetHost, bool trusted, string why)
    {
        using var device = HsmIdentity.Open(Device.Uri("ec"));
        var client = Loopback.ClientOf(targetHost);
        client.ClientCertificateContext = device.CertificateContext;
        if (trusted) client.CertificateChainPolicy!.CustomTrustStore.Add(peer);
        var server = Loopback.ServerOf();
        server.ServerCertificate = peer;
        var seen = await Loopback.Connect(client, server);
        Assert.Contains(why, Assert.IsType<AuthenticationException>(seen.Client.Error).Message);
        Assert.NotNull(seen.Server.Error);
        Assert.Null(device.LastError);
    }

    [Fact]
    public async Task An_untrusted_peer_is_refused()
    {
        using var peer = SelfMade("localhost", DateTimeOffset.UtcNow.AddHours(1));
        await AssertRefused(peer, "localhost", trusted: false, nameof(X509ChainStatusFlags.UntrustedRoot));
    }

    [Fact]
    public async Task An_expired_peer_is_refused()
    {
        using var peer = SelfMade("localhost", DateTimeOffset.UtcNow.AddHours(-1));
        await AssertRefused(peer, "localhost", trusted: true, nameof(X509ChainStatusFlags.NotTimeValid));
    }

    [Fact]
    public async Task A_peer_of_another_name_is_refused()
    {
        await AssertRefused(
            Device.Peer, "gateway.example", trusted: false, nameof(SslPolicyErrors.RemoteCertificateNameMismatch));
    }

    [Fact]
    public async Task A_peer_that_does_not_know_our_root_refuses_us()
    {
        using var device = HsmIdentity.Open(Device.Uri("ec"));
        using var other = SelfMade("other root", DateTimeOffset.UtcNow.AddHours(1));
        var client = Loopback.ClientOf("localhost");
        client.ClientCertificateContext = device.CertificateContext;
        var server = Loopback.ServerOf();
        server.CertificateChainPolicy!.CustomTrustStore.Clear();
        server.CertificateChainPolicy.CustomTrustStore.Add(other);

        var (here, there) = await Loopback.Connect(client, server);

        Assert.IsType<AuthenticationException>(there.Error);
        Assert.NotNull(here.Error);
        Assert.Null(device.LastError);
    }
}
