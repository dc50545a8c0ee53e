using System;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace HsmTls.Interop;

/// <summary>An application's PIN callback, for the time of one call.</summary>
internal sealed unsafe class PinRequest : IDisposable
{
    private readonly Func<string, byte[]?>? callback;
    private GCHandle self;
    private ExceptionDispatchInfo? thrown;

    public PinRequest(Func<string, byte[]?>? callback)
    {
        this.callback = callback;
        if (callback is not null) self = GCHandle.Alloc(this);
    }

    public nint Function => callback is null ? 0 : (nint)(delegate* unmanaged[Cdecl]<nint, nint, byte*, uint, int>)&Ask;

    public nint User => callback is null ? 0 : GCHandle.ToIntPtr(self);

    /// <summary>Throws what the callback threw.</summary>
    public void Rethrow() => thrown?.Throw();

    public void Dispose()
    {
        if (self.IsAllocated) self.Free();
    }

    // An exception that left this method would end the process.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Ask(nint user, nint tokenLabel, byte* pin, uint capacity)
    {
        var request = (PinRequest)GCHandle.FromIntPtr(user).Target!;
        try
        {
            return request.Answer(Text.Copied(tokenLabel), new Span<byte>(pin, (int)capacity));
        }
        catch (Exception why)
        {
            request.thrown = ExceptionDispatchInfo.Capture(why);
            return -1;
        }
    }

    private int Answer(string tokenLabel, Span<byte> pin)
    {
        if (callback!(tokenLabel) is not { } given) return -1;
        try
        {
            given.CopyTo(pin);
            return given.Length;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(given);
        }
    }
}
