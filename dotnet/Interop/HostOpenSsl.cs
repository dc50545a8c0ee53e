using System;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace HsmTls.Interop;

/// <summary>
/// The copy of OpenSSL that this runtime uses, whichever that is: an EVP_PKEY of another copy would end the process.
/// </summary>
internal static partial class HostOpenSsl
{
    // The runtime's own way to TLS_method(): no search by name, which might find another copy, can err here.
    [LibraryImport("libSystem.Security.Cryptography.Native.OpenSsl", EntryPoint = "CryptoNative_SslV2_3Method")]
    private static partial nint TlsMethod();

    /// <summary>
    /// Makes libhsmtls.so use that copy, for the life of the process. Throws HsmException: OpenSslForeign where it uses
    /// another one already, OpenSslUnusable where the runtime does not show its own.
    /// </summary>
    public static void Bind() =>
        HsmException.Check(Native.hsmtls_openssl_bind(Method(), digest: 0, out var error), error);

    private static nint Method()
    {
        try
        {
            // Asking makes the runtime load and initialise it, as only it does it: OPENSSL_INIT_NO_ATEXIT.
            _ = SafeEvpPKeyHandle.OpenSslVersion;
            return TlsMethod();
        }
        catch (Exception why) when (why is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new HsmException(
                HsmErrorCode.OpenSslUnusable, "This .NET does not show which OpenSSL it uses: " + why.Message, why);
        }
    }
}
