using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace HsmTls.Interop;

/// <summary>What happens to an identity, as libhsmtls.so tells it (hsmtls_event).</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct Event
{
    public readonly uint Type;
    public readonly uint Mechanism;
    public readonly ulong Microseconds;
}

/// <summary>
/// Takes events on the thread that signs, which must not be held up, and hands them over one by one, in their order, on
/// the thread pool.
/// </summary>
internal sealed unsafe class EventQueue
{
    private readonly Queue<Event> waiting = new();
    private bool running;
    private volatile Action<Event>? listener;

    /// <summary>
    /// Who is told; null: nobody yet, or nobody any more. Must not keep the identity alive: native code holds this object.
    /// </summary>
    public Action<Event>? Listener
    {
        get => listener;
        set => listener = value;
    }

    public static nint Function => (nint)(delegate* unmanaged[Cdecl]<nint, Event*, void>)&Tell;

    public static nint Release => (nint)(delegate* unmanaged[Cdecl]<nint, void>)&Forget;

    /// <summary>A reference for native code, which gives it back through <see cref="Release"/>.</summary>
    public nint NewUser() => GCHandle.ToIntPtr(GCHandle.Alloc(this));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Tell(nint user, Event* what) => ((EventQueue)GCHandle.FromIntPtr(user).Target!).Add(*what);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Forget(nint user) => GCHandle.FromIntPtr(user).Free();

    private void Add(Event what)
    {
        lock (waiting)
        {
            waiting.Enqueue(what);
            if (running) return;
            running = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(static queue => queue.Run(), this, preferLocal: false);
    }

    private void Run()
    {
        while (true)
        {
            Event next;
            lock (waiting)
            {
                running = waiting.TryDequeue(out next);
                if (!running) return;
            }
            Listener?.Invoke(next);
        }
    }
}
