using System;
using HsmTls.Interop;

namespace HsmTls;

/// <summary>What went wrong, and what to do. Its message never holds a PIN.</summary>
/// <remarks>
/// <code>catch (HsmException why) when (why.Code == HsmErrorCode.PinLocked)</code>
/// </remarks>
public sealed class HsmException : Exception
{
    internal HsmException(HsmErrorCode code, string message, Exception? inner = null)
        : base(message, inner)
    {
        Code = code;
    }

    private HsmException(int code, ErrorHandle error)
        : base(error.IsInvalid ? Native.hsmtls_code_name(code) : Native.hsmtls_error_message(error))
    {
        Code = (HsmErrorCode)code;
        if (error.IsInvalid) return;
        Ckr = Native.hsmtls_error_ckr(error);
        CkrName = Native.hsmtls_error_ckr_name(error);
        OpenSslReason = Native.hsmtls_error_openssl_reason(error);
    }

    /// <summary>Which error it is, of the one list that all languages share (docs/errors.md).</summary>
    public HsmErrorCode Code { get; }

    /// <summary>The name of <see cref="Code"/> in that list: "PIN_LOCKED".</summary>
    public string Name => Native.hsmtls_code_name((int)Code);

    /// <summary>What kind of error it is.</summary>
    public HsmErrorCategory Category => (HsmErrorCategory)Native.hsmtls_code_category((int)Code);

    /// <summary>The CK_RV beneath (PKCS#11 v3.1 section 5.1); 0: none.</summary>
    public ulong Ckr { get; }

    /// <summary>The name of <see cref="Ckr"/>: "CKR_PIN_LOCKED"; "": none.</summary>
    public string CkrName { get; } = "";

    /// <summary>The reason that OpenSSL gave; "": none.</summary>
    public string OpenSslReason { get; } = "";

    /// <summary>Throws where a call of libhsmtls.so has failed.</summary>
    internal static void Check(int code, ErrorHandle error)
    {
        using (error)
        {
            if (code != 0) throw new HsmException(code, error);
        }
    }

    /// <summary>An error that is kept, not thrown; null: there is none.</summary>
    internal static HsmException? Of(ErrorHandle error)
    {
        using (error)
        {
            return error.IsInvalid ? null : new HsmException(Native.hsmtls_error_code_of(error), error);
        }
    }
}
