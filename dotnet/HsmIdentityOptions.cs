using System;

namespace HsmTls;

/// <summary>How <see cref="HsmIdentity.Open"/> opens an identity. All of it may be left out.</summary>
/// <remarks>
/// The PIN is the first that is set of: pin-value or pin-source in the URI (RFC 7512 section 2.4), <see cref="Pin"/>,
/// <see cref="PinCallback"/>, <see cref="PinSource"/>, the environment variable HSMTLS_PIN_SOURCE. None: what the token
/// shows without login is all there is.
/// </remarks>
public sealed class HsmIdentityOptions
{
    /// <summary>
    /// A PEM file, PEM text (it begins with "-----BEGIN"), or a "pkcs11:" URI: the leaf and any intermediates, in any
    /// order. Null: from the token, by the key's CKA_ID, intermediates by their names.
    /// </summary>
    public string? Certificate { get; set; }

    /// <summary>
    /// The vendor's PKCS#11 file; only this one is asked. Null: the environment variable HSMTLS_MODULE, else what
    /// p11-kit has registered.
    /// </summary>
    public string? Module { get; set; }

    /// <summary>The PIN in UTF-8. Kept in locked memory while the identity is open; this copy is yours to wipe.</summary>
    public ReadOnlyMemory<byte> Pin { get; set; }

    /// <summary>
    /// Returns the PIN, in UTF-8, of the token with that label, or null for none. Called on the thread that opens the
    /// identity, while it opens it; must not use this package. What it returns is wiped; what it throws leaves
    /// <see cref="HsmIdentity.Open"/>.
    /// </summary>
    public Func<string, byte[]?>? PinCallback { get; set; }

    /// <summary>
    /// "file:/run/pin", "env:NAME", "credential:NAME". A file and a credential are read again at each login and not
    /// kept.
    /// </summary>
    public string? PinSource { get; set; }

    /// <summary>A PIN by value is not kept: after a loss there is no login by itself.</summary>
    public bool ForgetPin { get; set; }

    /// <summary>Log in although the token says that it is the last try.</summary>
    public bool Insist { get; set; }

    /// <summary>What must be true of the key; else opening fails with <see cref="HsmErrorCode.KeyPolicy"/>.</summary>
    public HsmKeyProperties Require { get; set; }

    /// <summary>The key alone, for a certificate request: see <see cref="HsmIdentity.CreateKey"/>.</summary>
    public bool WithoutCertificate { get; set; }

    /// <summary>
    /// How long opening, and each signature, may take. Null: the configured default (HSMTLS_DEADLINE_MS, 2 seconds).
    /// </summary>
    public TimeSpan? Deadline { get; set; }
}
