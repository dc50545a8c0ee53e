using System.Net.Security;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HsmTls.Tests;

/// <summary>
/// Runs the tests, or what needs a process of its own: HsmTls.Tests program NAME ARGUMENT…
/// </summary>
internal static partial class Programs
{
    private static async Task<int> Main(string[] arguments) => arguments switch
    {
        ["program", "end-while-signing", var how] => EndWhileSigning(how),
        ["program", "where"] => Where(),
        ["program", "where-another-was-bound", var libssl] => WhereAnotherWasBound(libssl),
        ["program", "websocket", var key, var uri] => await WebSocket(key, uri),
        _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(arguments),
    };

    // Ends with nothing disposed, and with threads that go on signing.
    private static int EndWhileSigning(string how)
    {
        var signed = new CountdownEvent(4);
        foreach (var name in new[] { "ec", "ec", "rsa", "rsa" })
        {
            var device = HsmIdentity.Open(Device.Uri(name));
            device.Signed += (_, _) => { };
            _ = device.CertificateContext;
            var key = device.CreateKey();
            new Thread(() =>
            {
                Sign(key);
                signed.Signal();
                while (true) Sign(key);
            }) { IsBackground = true }.Start();
        }
        signed.Wait();
        if (how == "exit") Environment.Exit(0);
        return 0;
    }

    private static void Sign(AsymmetricAlgorithm key)
    {
        try
        {
            if (key is RSA rsa) rsa.SignData("hello"u8, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            else ((ECDsa)key).SignData("hello"u8, HashAlgorithmName.SHA256);
        }
        catch (CryptographicException)
        {
            // The process ends: keys refuse.
            Thread.Sleep(Timeout.Infinite);
        }
    }

    // Says which OpenSSL is used, after a signature has come out of it.
    private static int Where()
    {
        using var device = HsmIdentity.Open(Device.Uri("ec"));
        using var key = device.Certificate.GetECDsaPrivateKey()!;
        key.SignData("hello"u8, HashAlgorithmName.SHA256);
        Console.WriteLine(Marshal.PtrToStringUTF8(hsmtls_openssl_where()));
        return 0;
    }

    // A native part of the process has made libhsmtls.so use another copy than .NET's.
    private static unsafe int WhereAnotherWasBound(string libssl)
    {
        var method = (delegate* unmanaged<nint>)NativeLibrary.GetExport(NativeLibrary.Load(libssl), "TLS_method");
        if (hsmtls_openssl_bind(method(), 0, 0) != 0) return 3;
        try
        {
            HsmIdentity.Open(Device.Uri("ec")).Dispose();
            return 4;
        }
        catch (HsmException why)
        {
            Console.WriteLine($"{why.Name}: {why.Message}");
            return 0;
        }
    }

    // A web socket with the identity's whole chain.
    private static async Task<int> WebSocket(string key, string uri)
    {
        using var device = HsmIdentity.Open(Device.Uri(key));
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            SslOptions = { ClientCertificateContext = device.CertificateContext, CertificateChainPolicy = Loopback.TrustInRoot() },
        });
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        await socket.ConnectAsync(new(uri), invoker, CancellationToken.None);
        Console.WriteLine(socket.State);
        return 0;
    }

    [LibraryImport("hsmtls")]
    private static partial nint hsmtls_openssl_where();

    [LibraryImport("hsmtls")]
    private static partial int hsmtls_openssl_bind(nint method, nint digest, nint error);
}
