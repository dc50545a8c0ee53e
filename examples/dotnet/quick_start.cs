#:package HsmTls@0.1.0
using System.Net.Security;
using HsmTls;

using var device = HsmIdentity.Open(args[0]); // "pkcs11:token=edge;object=device-key"
using var http = new HttpClient(new SocketsHttpHandler
{
    SslOptions = { ClientCertificateContext = device.CertificateContext },
});
Console.WriteLine(await http.GetStringAsync(args[1])); // "https://gateway.example/"
