using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace HsmTls.Interop;

/// <summary>UTF-8 text for the time of a call. It is wiped: a URI may hold a PIN.</summary>
internal sealed class Text : IDisposable
{
    private readonly List<nint> passed = [];

    public static string Copied(nint text) => Marshal.PtrToStringUTF8(text) ?? "";

    /// <summary>The address of a copy of <paramref name="text"/>; 0 for null.</summary>
    public nint Passed(string? text)
    {
        if (text is null) return 0;
        if (text.Contains('\0')) throw new ArgumentException("A text holds a NUL character.");
        var copy = Marshal.StringToCoTaskMemUTF8(text);
        passed.Add(copy);
        return copy;
    }

    public void Dispose() => passed.ForEach(Marshal.ZeroFreeCoTaskMemUTF8);
}
