using System.Security.Cryptography.X509Certificates;

// They all use one token.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace HsmTls.Tests;

/// <summary>What tests/support/with_device.cpp has made: a token, certificates, peers.</summary>
internal static class Device
{
    public static string Folder { get; } = Variable("HSMTLS_TEST_FOLDER");

    public static string PinFile => File("pin");

    public static X509Certificate2 Root { get; } = X509Certificate2.CreateFromPem(System.IO.File.ReadAllText(File("ca.pem")));

    public static X509Certificate2 Intermediate { get; } =
        X509Certificate2.CreateFromPem(System.IO.File.ReadAllText(File("intermediate.pem")));

    /// <summary>"localhost", with a software key.</summary>
    public static X509Certificate2 Peer { get; } = X509Certificate2.CreateFromPemFile(File("server.pem"), File("server.key"));

    public static string File(string name) => Path.Combine(Folder, name);

    public static string Uri(string key) => "pkcs11:token=edge;object=" + key;

    /// <summary>The token drops every session, at its next call.</summary>
    public static void DropSessions() => Chaos("drop-sessions");

    /// <summary>Tells the chaos module in front of the token what to do (core/chaos/README.md).</summary>
    public static void Chaos(string command) =>
        System.IO.File.AppendAllText(Variable("HSMTLS_CHAOS_FILE"), command + "\n");

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException(name + " is not set: see with_device.cpp");
}
