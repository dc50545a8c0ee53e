using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace HsmTls.Tests;

/// <summary>What is checked before a handshake, and what is said of what is wrong.</summary>
public partial class Opening
{
    private const uint Ed25519 = 5; // HSMTLS_GENERATE_ED25519

    [LibraryImport("hsmtls", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int hsmtls_key_generate(
        string uri, string? module, nint login, uint kind, uint bits, out nint madeUri, nint error);

    private static HsmException Refused(string uri, HsmIdentityOptions? options = null) =>
        Assert.Throws<HsmException>(() => HsmIdentity.Open(uri, options).Dispose());

    [Theory, InlineData("ec", HsmKeyType.Ec, 256, "EC P-256"), InlineData("rsa", HsmKeyType.Rsa, 2048, "RSA 2048")]
    public void The_certificates_come_from_the_token(string key, HsmKeyType type, int bits, string name)
    {
        using var device = HsmIdentity.Open(Device.Uri(key));

        var info = device.Info;
        Assert.Equal((type, bits, name, 2), (info.KeyType, info.KeyBits, info.KeyName, info.CertificateCount));
        Assert.True(device.Info.KeyProperties.HasFlag(HsmKeyProperties.NeverExtractable));
        Assert.Contains("object=" + key, device.Info.KeyUri);
        Assert.DoesNotContain("pin", device.Info.KeyUri);
        Assert.True(device.Certificate.HasPrivateKey);
        Assert.Equal("CN=device-" + key, device.Certificate.Subject);
    }

    [Fact]
    public async Task Opening_asynchronously_is_the_same()
    {
        using var device = await HsmIdentity.OpenAsync(Device.Uri("ec"), new() { Certificate = Device.File("ec.pem") });
        Assert.Equal(1, device.Info.CertificateCount);
        var refused = await Assert.ThrowsAsync<HsmException>(() => HsmIdentity.OpenAsync("pkcs11:token=none"));
        Assert.Equal(HsmErrorCode.TokenNotFound, refused.Code);
    }

    [Fact]
    public async Task Opening_asynchronously_can_be_cancelled() => await Assert.ThrowsAnyAsync<OperationCanceledException>(
        () => HsmIdentity.OpenAsync(Device.Uri("ec"), cancellationToken: new CancellationToken(canceled: true)));

    [Fact]
    public void The_PIN_comes_as_bytes_or_from_a_callback_or_a_source()
    {
        var pin = Encoding.UTF8.GetBytes(File.ReadAllText(Device.PinFile).TrimEnd());
        HsmIdentity.Open(Device.Uri("ec"), new() { Pin = pin }).Dispose();
        HsmIdentity.Open(Device.Uri("ec"), new() { PinSource = "file:" + Device.PinFile }).Dispose();

        var (asked, given) = ("", pin.ToArray());
        HsmIdentity.Open(Device.Uri("ec"), new()
        {
            PinCallback = label =>
            {
                asked = label;
                return given;
            },
        }).Dispose();
        Assert.Equal("edge", asked);
        Assert.All(given, one => Assert.Equal(0, one));
    }

    [Fact]
    public void What_a_PIN_callback_throws_leaves_Open()
    {
        var why = Assert.Throws<TimeoutException>(() => HsmIdentity.Open(
            Device.Uri("ec"), new() { PinCallback = _ => throw new TimeoutException("nobody typed") }));
        Assert.Equal("nobody typed", why.Message);
    }

    [Fact]
    public void A_wrong_PIN_is_sent_once_and_never_again()
    {
        HsmIdentityOptions wrong = new() { Pin = "0000"u8.ToArray() };
        var first = Refused(Device.Uri("ec"), wrong);
        Assert.Equal(
            (HsmErrorCode.PinIncorrect, "PIN_INCORRECT", HsmErrorCategory.Token), (first.Code, first.Name, first.Category));
        Assert.Equal((0xA0UL, "CKR_PIN_INCORRECT"), (first.Ckr, first.CkrName));
        Assert.DoesNotContain("0000", first.ToString());

        // Had the token been asked again, it would have answered otherwise.
        Device.Chaos("fail C_Login * CKR_DEVICE_ERROR");
        var second = Refused(Device.Uri("ec"), wrong);
        Device.Chaos("clear");
        Assert.Equal(HsmErrorCode.PinIncorrect, second.Code);
        HsmIdentity.Open(Device.Uri("ec")).Dispose();
    }

    [Fact]
    public void A_key_that_is_not_there_is_refused_with_those_that_are()
    {
        var refused = Refused("pkcs11:token=edge;object=device-key");
        Assert.Equal((HsmErrorCode.KeyNotFound, HsmErrorCategory.Token), (refused.Code, refused.Category));
        Assert.Contains("'ec'", refused.Message);
        Assert.Contains("'rsa'", refused.Message);
    }

    [Fact]
    public void A_URI_that_fits_several_keys_is_refused() =>
        Assert.Equal(HsmErrorCode.Ambiguous, Refused("pkcs11:token=edge").Code);

    [Fact]
    public void A_malformed_URI_is_refused() => Assert.Equal(
        (HsmErrorCode.MalformedUri, HsmErrorCategory.Config), (Refused("ec").Code, Refused("ec").Category));

    [Fact]
    public void A_module_that_is_none_is_refused() =>
        Assert.Equal(HsmErrorCode.ModuleUnusable, Refused(Device.Uri("ec"), new() { Module = Device.PinFile }).Code);

    [Fact]
    public void A_certificate_of_another_key_is_refused()
    {
        var refused = Refused(Device.Uri("ec"), new() { Certificate = Device.File("rsa.pem") });
        Assert.Equal((HsmErrorCode.CertificateMismatch, HsmErrorCategory.Certificate), (refused.Code, refused.Category));
    }

    [Fact]
    public void A_key_that_lacks_a_property_is_refused() => Assert.Equal(
        HsmErrorCode.KeyPolicy, Refused(Device.Uri("ec"), new() { Require = HsmKeyProperties.AlwaysAuthenticate }).Code);

    [Fact]
    public void An_Ed25519_key_is_refused_because_dotnet_has_no_use_for_it()
    {
        Assert.Equal(0, hsmtls_key_generate("pkcs11:token=edge;object=ed25519", null, 0, Ed25519, 0, out _, 0));
        var refused = Refused("pkcs11:token=edge;object=ed25519", new() { WithoutCertificate = true });
        Assert.Equal(HsmErrorCode.Unsupported, refused.Code);
        Assert.Contains("Ed25519", refused.Message);
    }

    [Fact]
    public void A_key_without_certificate_signs_a_request()
    {
        using var device = HsmIdentity.Open(Device.Uri("ec"), new() { WithoutCertificate = true });
        Assert.Equal(HsmErrorCode.CertificateNotFound, Assert.Throws<HsmException>(() => device.Certificate).Code);
        Assert.Equal(HsmErrorCode.CertificateNotFound, Assert.Throws<HsmException>(() => device.CertificateContext).Code);

        using var key = (ECDsa)device.CreateKey();
        var request = new CertificateRequest("CN=device-0001", key, HashAlgorithmName.SHA256).CreateSigningRequest();

        var read = CertificateRequest.LoadSigningRequest(request, HashAlgorithmName.SHA256);
        Assert.Equal("CN=device-0001", read.SubjectName.Name);
    }

    [Theory, InlineData("ec"), InlineData("rsa")]
    public void The_private_half_cannot_be_exported(string key)
    {
        using var device = HsmIdentity.Open(Device.Uri(key));
        using var own = device.CreateKey();

        Assert.ThrowsAny<CryptographicException>(() => device.Certificate.Export(X509ContentType.Pfx));
        Assert.ThrowsAny<CryptographicException>(() => own.ExportPkcs8PrivateKey());
        Assert.ThrowsAny<CryptographicException>(() => own.ExportEncryptedPkcs8PrivateKey(
            "password", new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1)));
        Assert.ThrowsAny<CryptographicException>(() =>
        {
            if (own is RSA rsa) rsa.ExportParameters(true);
            else ((ECDsa)own).ExportParameters(true);
        });
        Assert.Equal(device.Certificate.PublicKey.ExportSubjectPublicKeyInfo(), own.ExportSubjectPublicKeyInfo());
    }
}
