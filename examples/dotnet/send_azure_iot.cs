#:package HsmTls@0.1.0
#:package Microsoft.Azure.Devices.Client@1.42.3
// Sends telemetry to Azure IoT Hub with the unmodified SDK as the identity in a token, and receives a message.
//
//   dotnet run send_azure_iot.cs KEY-URI HUB-HOST DEVICE-ID
//
// HSMTLS_MODULE names the vendor's PKCS#11 module, HSMTLS_PIN_SOURCE says where the PIN is.
using HsmTls;
using Microsoft.Azure.Devices.Client;

using var device = await HsmIdentity.OpenAsync(args[0]);
using var authentication = new DeviceAuthenticationWithX509Certificate(args[2], device.Certificate);
using var client = DeviceClient.Create(args[1], authentication, TransportType.Mqtt_Tcp_Only);
await client.SendEventAsync(new Message("hello"u8.ToArray()));
using var received = await client.ReceiveAsync(TimeSpan.FromSeconds(30));
Console.WriteLine(received is null ? "no message" : new StreamReader(received.BodyStream).ReadToEnd());
