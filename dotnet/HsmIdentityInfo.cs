using System;
using HsmTls.Interop;

namespace HsmTls;

/// <summary>What an identity is.</summary>
public sealed record HsmIdentityInfo
{
    /// <summary>The kind of its key.</summary>
    public required HsmKeyType KeyType { get; init; }

    /// <summary>RSA: of the modulus; else of the curve.</summary>
    public required int KeyBits { get; init; }

    /// <summary>What is true of its key.</summary>
    public required HsmKeyProperties KeyProperties { get; init; }

    /// <summary>A URI that fits this key alone; no query, no PIN.</summary>
    public required string KeyUri { get; init; }

    /// <summary>"EC P-256", "RSA 2048" and the like.</summary>
    public required string KeyName { get; init; }

    /// <summary>How many certificates it has, leaf included.</summary>
    public required int CertificateCount { get; init; }
}

/// <summary>The kind of a key.</summary>
public enum HsmKeyType
{
    /// <summary>RSA.</summary>
    Rsa = hsmtls_key_type.HSMTLS_KEY_RSA,

    /// <summary>An elliptic curve: P-256, P-384 or P-521.</summary>
    Ec = hsmtls_key_type.HSMTLS_KEY_EC,

    /// <summary>Ed25519, which .NET cannot use.</summary>
    Ed25519 = hsmtls_key_type.HSMTLS_KEY_ED25519,
}

/// <summary>What is true of a key, or required of it (PKCS#11 v3.1 section 4.9).</summary>
[Flags]
public enum HsmKeyProperties
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>CKA_LOCAL: generated in the token.</summary>
    Local = (int)Native.HSMTLS_KEY_LOCAL,

    /// <summary>CKA_ALWAYS_SENSITIVE.</summary>
    AlwaysSensitive = (int)Native.HSMTLS_KEY_ALWAYS_SENSITIVE,

    /// <summary>CKA_NEVER_EXTRACTABLE.</summary>
    NeverExtractable = (int)Native.HSMTLS_KEY_NEVER_EXTRACTABLE,

    /// <summary>CKA_ALWAYS_AUTHENTICATE.</summary>
    AlwaysAuthenticate = (int)Native.HSMTLS_KEY_ALWAYS_AUTHENTICATE,
}
