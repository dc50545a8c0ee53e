using System;
using HsmTls.Interop;

namespace HsmTls;

/// <summary>The token is back, and the key is the same.</summary>
/// <param name="took">See <see cref="Took"/>.</param>
public sealed class HsmRestoredEventArgs(TimeSpan took) : EventArgs
{
    /// <summary>The time since the loss.</summary>
    public TimeSpan Took { get; } = took;
}

/// <summary>The key has signed.</summary>
/// <param name="mechanism">See <see cref="Mechanism"/>.</param>
/// <param name="took">See <see cref="Took"/>.</param>
public sealed class HsmSignedEventArgs(HsmMechanism mechanism, TimeSpan took) : EventArgs
{
    /// <summary>How the token was asked to sign.</summary>
    public HsmMechanism Mechanism { get; } = mechanism;

    /// <summary>The time of the whole signature, recovery included.</summary>
    public TimeSpan Took { get; } = took;
}

/// <summary>How a token is asked to sign (PKCS#11 v3.1 sections 6.1 and 6.3).</summary>
public enum HsmMechanism
{
    /// <summary>CKM_RSA_PKCS.</summary>
    RsaPkcs1 = hsmtls_mechanism.HSMTLS_MECHANISM_RSA_PKCS1,

    /// <summary>CKM_RSA_PKCS_PSS.</summary>
    RsaPss = hsmtls_mechanism.HSMTLS_MECHANISM_RSA_PSS,

    /// <summary>CKM_RSA_X_509: for a padding that the token does not know, and for all PSS of .NET 8.</summary>
    RsaRaw = hsmtls_mechanism.HSMTLS_MECHANISM_RSA_RAW,

    /// <summary>CKM_ECDSA.</summary>
    Ecdsa = hsmtls_mechanism.HSMTLS_MECHANISM_ECDSA,

    /// <summary>CKM_EDDSA.</summary>
    Eddsa = hsmtls_mechanism.HSMTLS_MECHANISM_EDDSA,
}
