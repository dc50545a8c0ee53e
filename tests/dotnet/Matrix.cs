using System.Security.Authentication;

namespace HsmTls.Tests;

/// <summary>EC and RSA, TLS 1.2 and 1.3.</summary>
public sealed class Matrix : TheoryData<string, SslProtocols>
{
    public Matrix()
    {
        foreach (var key in new[] { "ec", "rsa" })
        {
            Add(key, SslProtocols.Tls12);
            Add(key, SslProtocols.Tls13);
        }
    }
}
