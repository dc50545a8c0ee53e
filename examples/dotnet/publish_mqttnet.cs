#:package HsmTls@0.1.0
#:package MQTTnet@5.2.0.1603
// Publishes over mutual TLS with MQTTnet as the identity in a token, and receives what it has published. Each line on
// stdin connects anew and publishes once more: the token may be reset in between. (.NET resumes TLS sessions, which needs
// no signature, unless DOTNET_SYSTEM_NET_SECURITY_DISABLETLSRESUME=1.)
//
//   dotnet run publish_mqttnet.cs KEY-URI CA-FILE PORT CLIENT-ID TOPIC [HOST]
//
// The certificate is in the token, beside the key. HSMTLS_MODULE names the vendor's PKCS#11 module, HSMTLS_PIN_SOURCE
// says where the PIN is.
using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using HsmTls;
using MQTTnet;

if (args.Length is not (5 or 6))
{
    Console.Error.WriteLine("usage: publish_mqttnet KEY-URI CA-FILE PORT CLIENT-ID TOPIC [HOST]");
    return 2;
}
var (topic, host) = (args[4], args.ElementAtOrDefault(5) ?? "localhost");
var trusted = new X509Certificate2Collection();
trusted.ImportFromPemFile(args[1]);

using var device = await HsmIdentity.OpenAsync(args[0]);
device.InstallIntermediates(); // MQTTnet has no place for a chain: .NET takes it from the user's store

var options = new MqttClientOptionsBuilder()
    .WithTcpServer(host, int.Parse(args[2]))
    .WithClientId(args[3])
    .WithTlsOptions(tls => tls.UseTls().WithTrustChain(trusted).WithRevocationMode(X509RevocationMode.NoCheck)
        .WithClientCertificates([device.Certificate]))
    .Build();

do
{
    using var client = new MqttClientFactory().CreateMqttClient();
    var received = new TaskCompletionSource<string>();
    client.ApplicationMessageReceivedAsync += message =>
    {
        received.TrySetResult(message.ApplicationMessage.ConvertPayloadToString());
        return Task.CompletedTask;
    };
    var time = Stopwatch.StartNew();
    var (what, error) = ("failed", "");
    try
    {
        await client.ConnectAsync(options);
        time.Stop();
        await client.SubscribeAsync(topic);
        await client.PublishStringAsync(topic, "hello");
        if (await received.Task.WaitAsync(TimeSpan.FromSeconds(15)) == "hello") what = "published";
        await client.DisconnectAsync();
    }
    catch (Exception why)
    {
        error = (device.LastError ?? why).Message;
    }
    Console.WriteLine(
        $$"""{"client": "MQTTnet", "event": "{{what}}", "error": "{{JsonEncodedText.Encode(error)}}", "connect_ms": {{time.ElapsedMilliseconds}}}""");
} while (Console.ReadLine() is not null);
return 0;
