using System.Runtime.InteropServices;

namespace HsmTls.Interop;

/// <summary>A reference to an identity of libhsmtls.so.</summary>
internal sealed class IdentityHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        Native.release_identity(handle);
        return true;
    }
}

/// <summary>What a call of libhsmtls.so says of its failure; invalid where it said nothing.</summary>
internal sealed class ErrorHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        Native.free_error(handle);
        return true;
    }
}
