using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HsmTls.Tests;

/// <summary>Who keeps what alive, what a closed identity says, and what is told of a token.</summary>
public class Lifetimes
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    [Theory, ClassData(typeof(Matrix))]
    public async Task A_closed_identity_fails_the_next_handshake_and_says_so(string key, SslProtocols protocol)
    {
        var device = HsmIdentity.Open(Device.Uri(key));
        var client = Loopback.ClientOf("localhost", protocol);
        client.ClientCertificateContext = device.CertificateContext;
        device.Dispose();
        device.Dispose();

        var (here, there) = await Loopback.Connect(client, Loopback.ServerOf(protocol));

        Assert.NotNull(here.Error);
        Assert.NotNull(there.Error);
        Assert.Equal((HsmErrorCode.IdentityClosed, HsmErrorCategory.Closed), (device.LastError?.Code, device.LastError?.Category));
    }

    [Fact]
    public void A_key_of_a_closed_identity_does_not_sign()
    {
        var device = HsmIdentity.Open(Device.Uri("ec"));
        using var key = (ECDsa)device.CreateKey();
        Assert.True(key.VerifyData("hello"u8, key.SignData("hello"u8, HashAlgorithmName.SHA256), HashAlgorithmName.SHA256));
        device.Dispose();

        Assert.ThrowsAny<CryptographicException>(() => key.SignData("hello"u8.ToArray(), HashAlgorithmName.SHA256));
        Assert.Equal(HsmErrorCode.IdentityClosed, Assert.Throws<HsmException>(device.CreateKey).Code);
    }

    [Fact]
    public async Task Signatures_losses_and_recoveries_are_told()
    {
        using var device = HsmIdentity.Open(Device.Uri("ec"));
        var told = new BlockingCollection<string>();
        device.Lost += (_, _) => told.Add("lost");
        device.Restored += (_, what) => told.Add(what.Took > TimeSpan.Zero ? "restored" : "restored in no time");
        device.Signed += (_, what) => told.Add("signed: " + what.Mechanism);
        // A handler may ask the identity itself.
        device.Signed += (sender, _) => told.Add($"{((HsmIdentity)sender!).Counters.FailedSignatures} failed");
        using var key = (ECDsa)device.CreateKey();

        await Task.Run(() => key.SignData("hello"u8, HashAlgorithmName.SHA256));
        Device.DropSessions();
        await Task.Run(() => key.SignData("hello"u8, HashAlgorithmName.SHA256));

        // Which of the recovery and the signature that waited for it is told first is open.
        var all = Enumerable.Range(0, 6).Select(_ => told.TryTake(out var one, Long) ? one : "nothing").ToList();
        Assert.Equal(["0 failed", "0 failed", "lost", "restored", "signed: Ecdsa", "signed: Ecdsa"], all.Order());
        Assert.Equal("signed: Ecdsa", all[0]);
        Assert.True(all.IndexOf("lost") < all.IndexOf("restored"));
    }

    [Fact]
    public void Whoever_has_only_the_certificate_has_the_identity()
    {
        var certificate = CertificateOfAnIdentityNobodyHas();
        Collect();
        using var key = certificate.GetECDsaPrivateKey();
        Assert.NotEmpty(key!.SignData("hello"u8, HashAlgorithmName.SHA256));
    }

    [Fact]
    public void Whoever_has_only_a_key_has_the_identity()
    {
        using var key = KeyOfAnIdentityNobodyHas();
        Collect();
        Assert.NotEmpty(key.SignData("hello"u8, HashAlgorithmName.SHA256));
    }

    [Fact]
    public async Task Nothing_is_told_any_more_once_it_is_closed()
    {
        var device = HsmIdentity.Open(Device.Uri("ec"));
        using var key = (ECDsa)device.CreateKey();
        using var handling = new SemaphoreSlim(0);
        using var open = new SemaphoreSlim(0);
        var told = 0;
        device.Signed += (_, _) =>
        {
            Interlocked.Increment(ref told);
            handling.Release();
            open.Wait(Long);
        };
        for (var i = 0; i < 3; i++) await Task.Run(() => key.SignData("hello"u8, HashAlgorithmName.SHA256));
        Assert.True(await handling.WaitAsync(Long));
        device.Dispose();
        open.Release(3);
        Assert.False(await handling.WaitAsync(TimeSpan.FromMilliseconds(300)));
        Assert.Equal(1, told);
    }

    [Fact]
    public void Identities_that_nobody_has_are_closed_and_collected()
    {
        var all = Enumerable.Range(0, 50).Select(_ => IdentityNobodyHas()).ToList();
        for (var round = 0; round < 20 && all.Any(one => one.TryGetTarget(out var _)); round++) Collect();
        Assert.DoesNotContain(all, one => one.TryGetTarget(out var _));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static X509Certificate2 CertificateOfAnIdentityNobodyHas() =>
        HsmIdentity.Open(Device.Uri("ec")).Certificate;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ECDsa KeyOfAnIdentityNobodyHas() =>
        (ECDsa)HsmIdentity.Open(Device.Uri("ec"), new() { WithoutCertificate = true }).CreateKey();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference<HsmIdentity> IdentityNobodyHas() => new(HsmIdentity.Open(Device.Uri("ec")));

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
