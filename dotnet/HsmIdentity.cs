using System;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;
using HsmTls.Interop;

namespace HsmTls;

/// <summary>
/// A private key in a token (an HSM, a TPM), its certificate chain, and what unlocks it: for SslStream and whatever is
/// built on it, as client and as server.
/// </summary>
/// <remarks>
/// All of it may be used from any thread, and from several at once. A TLS handshake signs on the thread that .NET runs
/// it on, and holds that thread for as long as the token needs. When the token drops its sessions, or goes away and
/// comes back, the next handshake has the key again. What was handed out stays good until <see cref="Dispose"/>.
/// </remarks>
public sealed class HsmIdentity : IDisposable
{
    // Whoever has only the certificate, or a key, has the identity: nobody else would keep it from being collected.
    private static readonly ConditionalWeakTable<object, HsmIdentity> Owners = [];

    // Released when this object is collected, so that what went wrong can be asked after Dispose, too.
    private readonly IdentityHandle handle;
    private readonly EventQueue events;
    private readonly X509Certificate2? certificate;
    private readonly X509Certificate2Collection intermediates = [];
    private readonly Lazy<SslStreamCertificateContext> context;

    private HsmIdentity(IdentityHandle handle, EventQueue events)
    {
        this.handle = handle;
        this.events = events;
        Info = ReadInfo();
        if (Info.KeyType == HsmKeyType.Ed25519)
        {
            throw new HsmException(
                HsmErrorCode.Unsupported, $".NET has no Ed25519: use an EC or RSA key instead of {Info.KeyUri}.");
        }
        if (Info.CertificateCount > 0)
        {
            intermediates.ImportFromPem(Native.hsmtls_identity_certificate_pem(handle));
            using var leaf = intermediates[0];
            intermediates.RemoveAt(0);
            certificate = WithKey(leaf);
            Owners.Add(certificate, this);
        }
        context = new(() => SslStreamCertificateContext.Create(Certificate, intermediates, offline: true));
        var self = new WeakReference<HsmIdentity>(this);
        events.Listener = what =>
        {
            if (self.TryGetTarget(out var identity)) identity.Raise(what);
        };
    }

    /// <summary>
    /// The token went away, or dropped its sessions. Like the other events it is raised on the thread pool, one at a
    /// time; a handler may use the identity.
    /// </summary>
    public event EventHandler? Lost;

    /// <summary>The token is back, and the key is the same.</summary>
    public event EventHandler<HsmRestoredEventArgs>? Restored;

    /// <summary>The key has signed.</summary>
    public event EventHandler<HsmSignedEventArgs>? Signed;

    /// <summary>What this identity is.</summary>
    public HsmIdentityInfo Info { get; }

    /// <summary>
    /// The leaf with its key, for ClientCertificates, ServerCertificate and the like. The identity owns it: do not
    /// dispose it, for of a disposed certificate .NET says nothing and sends none. Its private half cannot be exported.
    /// </summary>
    /// <remarks>
    /// .NET sends only the leaf. Where the peer needs the intermediates use <see cref="CertificateContext"/>, or
    /// <see cref="InstallIntermediates"/> where an SDK has no place for one.
    /// </remarks>
    /// <exception cref="HsmException">CertificateNotFound: it was opened without.</exception>
    public X509Certificate2 Certificate => certificate ?? throw new HsmException(
        HsmErrorCode.CertificateNotFound, "This identity was opened without a certificate.");

    /// <summary>
    /// The leaf with its key and the intermediates, for ClientCertificateContext and ServerCertificateContext. Made
    /// once, without asking the network.
    /// </summary>
    /// <exception cref="HsmException">CertificateNotFound: it was opened without.</exception>
    public SslStreamCertificateContext CertificateContext => context.Value;

    /// <summary>
    /// Why the latest signature by this identity failed, or null: SslStream tells only that the handshake failed.
    /// Does not block, and answers after <see cref="Dispose"/>, too.
    /// </summary>
    public HsmException? LastError => HsmException.Of(Native.hsmtls_identity_last_error(handle));

    /// <summary>What has happened to its token since the process began. Does not block.</summary>
    /// <exception cref="HsmException">IdentityClosed.</exception>
    public HsmIdentityCounters Counters
    {
        get
        {
            using var counters = new hsmtls_identity_counters();
            HsmException.Check(Native.hsmtls_identity_get_counters(handle, counters, out var error), error);
            return new()
            {
                OpenSessions = (int)counters.open_sessions,
                Lost = (long)counters.lost,
                Restored = (long)counters.restored,
                Signatures = (long)counters.signatures,
                FailedSignatures = (long)counters.failed_signatures,
            };
        }
    }

    /// <summary>
    /// Opens an identity, and checks all that can be checked before a handshake: the module loads, the token is there,
    /// the PIN is right, exactly one key fits, the certificate is for that key, the chain is in order. Blocks: it talks
    /// to the token.
    /// </summary>
    /// <param name="uri">
    /// RFC 7512: "pkcs11:token=edge;object=device-key". Whatever fits exactly one private key is enough.
    /// </param>
    /// <param name="options">Null: certificate and key are in the token, the rest is in the environment.</param>
    /// <exception cref="HsmException">
    /// Any error of the categories Config, Token and Certificate; its message names what is wrong and what there is
    /// instead.
    /// </exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    public static unsafe HsmIdentity Open(string uri, HsmIdentityOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(uri);
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("HsmTls is for Linux with glibc.");
        options ??= new();
        CheckLibrary();
        HostOpenSsl.Bind();
        var events = new EventQueue();
        using var text = new Text();
        using var request = new PinRequest(options.PinCallback);
        using var pin = options.Pin.Pin();
        using var login = new hsmtls_login
        {
            pin = (nint)pin.Pointer,
            pin_len = (uint)options.Pin.Length,
            pin_fn = request.Function,
            pin_user = request.User,
            pin_source = text.Passed(options.PinSource),
            forget_pin = options.ForgetPin ? 1 : 0,
            insist = options.Insist ? 1 : 0,
        };
        using var wanted = new hsmtls_identity_options
        {
            key = text.Passed(uri),
            certificate = text.Passed(options.Certificate),
            module = text.Passed(options.Module),
            login = login,
            require = (uint)options.Require,
            flags = options.WithoutCertificate ? Native.HSMTLS_OPEN_WITHOUT_CERTIFICATE : 0,
            deadline_ms = Milliseconds(options.Deadline),
            on_event = EventQueue.Function,
            event_user = events.NewUser(),
            event_release = EventQueue.Release,
        };
        var code = Native.hsmtls_identity_open(wanted, out var handle, out var error);
        try
        {
            request.Rethrow();
            HsmException.Check(code, error);
            return new HsmIdentity(handle, events);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Does what <see cref="Open"/> does on a thread of its own: a token may need its time, and the thread pool's
    /// threads are not for waiting.
    /// </summary>
    /// <param name="uri">See <see cref="Open"/>.</param>
    /// <param name="options">See <see cref="Open"/>.</param>
    /// <param name="cancellationToken">Ends the waiting; an identity that is opened nevertheless is closed at once.</param>
    /// <exception cref="HsmException">See <see cref="Open"/>.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<HsmIdentity> OpenAsync(
        string uri, HsmIdentityOptions? options = null, CancellationToken cancellationToken = default)
    {
        var opening = Task.Factory.StartNew(
            () => Open(uri, options), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return await opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _ = opening.ContinueWith(
                static late =>
                {
                    if (late.IsCompletedSuccessfully) late.Result.Dispose();
                    else _ = late.Exception; // looked at: nobody else will
                },
                TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>
    /// Makes a key object that signs in the token: an <see cref="RSA"/> or an <see cref="ECDsa"/>, the caller's to
    /// dispose. For certificate requests; TLS takes it from <see cref="Certificate"/>. Its private half cannot be
    /// exported.
    /// </summary>
    /// <exception cref="HsmException">IdentityClosed.</exception>
    public AsymmetricAlgorithm CreateKey()
    {
        var key = NewKey();
        Owners.Add(key, this);
        return key;
    }

    /// <summary>
    /// Puts the intermediates into the user's store of certificate authorities, where .NET looks for what it sends along
    /// with a client certificate: for SDKs that have no place for <see cref="CertificateContext"/>. To be called before
    /// the first connection: .NET looks into the store again only after some seconds. They are public; the store is a
    /// folder in the user's home, and what is there already stays.
    /// </summary>
    /// <exception cref="CryptographicException">The store cannot be written.</exception>
    public void InstallIntermediates()
    {
        if (intermediates.Count == 0) return;
        using var store = new X509Store(StoreName.CertificateAuthority, StoreLocation.CurrentUser, OpenFlags.ReadWrite);
        store.AddRange(intermediates);
    }

    /// <summary>
    /// Closes the identity now, whoever still uses it: connections go on, but new handshakes with what was handed out
    /// fail, and <see cref="LastError"/> says IdentityClosed. The certificate is not disposed, for .NET would then
    /// connect without one. No event is raised any more, but for one that is being raised. Twice: nothing.
    /// </summary>
    public void Dispose()
    {
        events.Listener = null;
        Native.hsmtls_identity_close(handle);
    }

    // The process may have loaded another libhsmtls.so before: as a provider that OPENSSL_CONF names.
    private static void CheckLibrary()
    {
        var loaded = Native.hsmtls_abi_version() >> 16;
        if (loaded == Native.HSMTLS_ABI_MAJOR) return;
        throw new HsmException(
            HsmErrorCode.Internal,
            $"This process has loaded a libhsmtls.so of another version (interface {loaded}, not {Native.HSMTLS_ABI_MAJOR}).");
    }

    private static uint Milliseconds(TimeSpan? deadline) =>
        deadline is { } given ? (uint)Math.Clamp(given.TotalMilliseconds, 1, uint.MaxValue) : 0;

    private HsmIdentityInfo ReadInfo()
    {
        using var info = new hsmtls_identity_info();
        HsmException.Check(Native.hsmtls_identity_get_info(handle, info, out var error), error);
        return new()
        {
            KeyType = (HsmKeyType)info.key_type,
            KeyBits = (int)info.key_bits,
            KeyProperties = (HsmKeyProperties)info.key_flags,
            KeyUri = info.key_uri,
            KeyName = info.key_name,
            CertificateCount = (int)info.num_certificates,
        };
    }

    private AsymmetricAlgorithm NewKey()
    {
        const uint Kind = (uint)hsmtls_key_kind.HSMTLS_KEY_HYBRID;
        HsmException.Check(Native.hsmtls_identity_evp_pkey(handle, Kind, out var key, out var error), error);
        using var owned = new SafeEvpPKeyHandle(key, ownsHandle: true);
        return Info.KeyType == HsmKeyType.Rsa ? new RSAOpenSsl(owned) : new ECDsaOpenSsl(owned);
    }

    private X509Certificate2 WithKey(X509Certificate2 leaf)
    {
        using var key = NewKey();
        return key is RSA rsa ? leaf.CopyWithPrivateKey(rsa) : leaf.CopyWithPrivateKey((ECDsa)key);
    }

    private void Raise(Event what)
    {
        var took = TimeSpan.FromMicroseconds(what.Microseconds);
        switch ((hsmtls_event_type)what.Type)
        {
            case hsmtls_event_type.HSMTLS_EVENT_LOST:
                Lost?.Invoke(this, EventArgs.Empty);
                break;
            case hsmtls_event_type.HSMTLS_EVENT_RESTORED:
                Restored?.Invoke(this, new(took));
                break;
            case hsmtls_event_type.HSMTLS_EVENT_SIGNED:
                Signed?.Invoke(this, new((HsmMechanism)what.Mechanism, took));
                break;
        }
    }
}
