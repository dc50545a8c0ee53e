using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace HsmTls.Tests;

/// <summary>SslStream on a token's key, both ways.</summary>
public class Handshakes
{
    [Theory, ClassData(typeof(Matrix))]
    public async Task A_client_proves_its_key_and_sends_its_chain_to_a_peer_that_knows_only_the_root(
        string key, SslProtocols protocol)
    {
        using var device = HsmIdentity.Open(Device.Uri(key));
        var signed = device.Counters.Signatures;

        var client = Loopback.ClientOf("localhost", protocol);
        client.ClientCertificateContext = device.CertificateContext;
        var (here, there) = await Loopback.Connect(client, Loopback.ServerOf(protocol));

        Assert.Equal(new("localhost", protocol, null), here);
        Assert.Equal(new("device-" + key, protocol, null), there);
        Assert.Equal(signed + 1, device.Counters.Signatures);
        Assert.Null(device.LastError);
    }

    [Theory, ClassData(typeof(Matrix))]
    public async Task A_server_proves_its_key_and_sends_its_chain_to_a_peer_that_knows_only_the_root(
        string key, SslProtocols protocol)
    {
        using var device = HsmIdentity.Open(Device.Uri(key));

        var client = Loopback.ClientOf("device-" + key, protocol);
        var server = Loopback.ServerOf(protocol);
        server.ServerCertificate = null;
        server.ServerCertificateContext = device.CertificateContext;
        server.ClientCertificateRequired = false;
        var (here, there) = await Loopback.Connect(client, server);

        Assert.Equal(new("device-" + key, protocol, null), here);
        Assert.Equal(new(null, protocol, null), there);
    }

    [Theory, ClassData(typeof(Matrix))]
    public async Task The_handshake_after_a_reset_of_the_token_succeeds_with_the_identity_as_it_is(
        string key, SslProtocols protocol)
    {
        using var device = HsmIdentity.Open(Device.Uri(key));
        var client = Loopback.ClientOf("localhost", protocol);
        client.ClientCertificateContext = device.CertificateContext;
        Assert.Null((await Loopback.Connect(client, Loopback.ServerOf(protocol))).Server.Error);
        var before = device.Counters;

        Device.DropSessions();
        var (here, there) = await Loopback.Connect(client, Loopback.ServerOf(protocol));

        Assert.Null(here.Error);
        Assert.Equal("device-" + key, there.PeerName);
        Assert.True(device.Counters.Lost > before.Lost);
        Assert.True(device.Counters.Restored > before.Restored);
    }

    [Theory, InlineData("ec"), InlineData("rsa")]
    public async Task The_certificate_alone_is_enough_for_a_peer_that_knows_the_intermediate(string key)
    {
        using var device = HsmIdentity.Open(Device.Uri(key));
        var client = Loopback.ClientOf("localhost");
        client.ClientCertificates = [device.Certificate];
        var server = Loopback.ServerOf();
        server.CertificateChainPolicy!.ExtraStore.Add(Device.Intermediate);

        Assert.Equal("device-" + key, (await Loopback.Connect(client, server)).Server.PeerName);
    }

    [Fact]
    public async Task The_certificate_alone_is_refused_by_a_peer_that_knows_only_the_root()
    {
        using var device = HsmIdentity.Open(Device.Uri("ec"));
        var client = Loopback.ClientOf("localhost");
        client.ClientCertificates = [device.Certificate];

        var (here, there) = await Loopback.Connect(client, Loopback.ServerOf());

        Assert.IsType<AuthenticationException>(there.Error);
        Assert.Contains(nameof(X509ChainStatusFlags.PartialChain), there.Error.Message);
        Assert.NotNull(here.Error);
        Assert.Null(device.LastError);
    }

    [Fact]
    public async Task One_identity_serves_many_handshakes_at_once()
    {
        using var device = HsmIdentity.Open(Device.Uri("ec"));
        var client = Loopback.ClientOf("localhost");
        client.ClientCertificateContext = device.CertificateContext;

        var all = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Loopback.Connect(client, Loopback.ServerOf())));

        Assert.All(all, one => Assert.Equal("device-ec", one.Server.PeerName));
    }
}
