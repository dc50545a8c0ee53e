// Generated from core/error_codes.def by scripts/generate_errors.py: edit that.
namespace HsmTls;

/// <summary>What kind of error an <see cref="HsmException"/> is.</summary>
public enum HsmErrorCategory
{
    /// <summary>What was asked for, or what the machine is set up with.</summary>
    Config = 1,

    /// <summary>The token, and the key in it.</summary>
    Token = 2,

    /// <summary>The certificates of this side.</summary>
    Certificate = 3,

    /// <summary>The TLS handshake, and the peer.</summary>
    Handshake = 4,

    /// <summary>It took too long.</summary>
    Timeout = 5,

    /// <summary>It was closed or cancelled.</summary>
    Closed = 6,

    /// <summary>Something went wrong inside hsmtls.</summary>
    Internal = 7,
}

/// <summary>Which error an <see cref="HsmException"/> is.</summary>
public enum HsmErrorCode
{
    /// <summary>An argument or option is not valid.</summary>
    BadArgument = 101,

    /// <summary>The PKCS#11 URI is malformed.</summary>
    MalformedUri = 102,

    /// <summary>The PEM text is malformed, or not of the expected kind.</summary>
    MalformedPem = 103,

    /// <summary>A file or folder cannot be read or written.</summary>
    FileUnreadable = 104,

    /// <summary>The PKCS#11 module is missing, or cannot be loaded or initialised.</summary>
    ModuleUnusable = 105,

    /// <summary>The source of the PIN cannot be read.</summary>
    PinSource = 106,

    /// <summary>This process has no OpenSSL 3 that can be used from outside.</summary>
    OpenSslUnusable = 107,

    /// <summary>An object belongs to another copy of OpenSSL than the one in use.</summary>
    OpenSslForeign = 108,

    /// <summary>This process has several copies of OpenSSL, and nothing says which one is meant.</summary>
    OpenSslAmbiguous = 109,

    /// <summary>Keys by libp11 cannot be made here.</summary>
    LegacyUnusable = 110,

    /// <summary>The token refused the PIN.</summary>
    PinIncorrect = 201,

    /// <summary>The token wants a PIN, and none was given.</summary>
    PinRequired = 202,

    /// <summary>The PIN is locked, or on its last try.</summary>
    PinLocked = 203,

    /// <summary>No token fits the URI.</summary>
    TokenNotFound = 204,

    /// <summary>No object of the token fits the URI.</summary>
    KeyNotFound = 205,

    /// <summary>Several tokens or objects fit the URI.</summary>
    Ambiguous = 206,

    /// <summary>The login is gone and cannot be had again without the user.</summary>
    NotLoggedIn = 207,

    /// <summary>The token is away.</summary>
    TokenLost = 208,

    /// <summary>Another token is where this one was.</summary>
    TokenReplaced = 209,

    /// <summary>Another key is where this one was.</summary>
    KeyReplaced = 210,

    /// <summary>A call inside the PKCS#11 module does not return.</summary>
    ModuleStuck = 211,

    /// <summary>An object of that name is already in the token.</summary>
    Exists = 212,

    /// <summary>Somebody in this process uses the token.</summary>
    InUse = 213,

    /// <summary>The token or the key cannot do this.</summary>
    Unsupported = 214,

    /// <summary>The key lacks a property that was required of it.</summary>
    KeyPolicy = 215,

    /// <summary>The PKCS#11 module reported an error.</summary>
    TokenError = 216,

    /// <summary>There is no certificate for the key.</summary>
    CertificateNotFound = 301,

    /// <summary>A certificate cannot be read.</summary>
    CertificateMalformed = 302,

    /// <summary>The certificate is for another key.</summary>
    CertificateMismatch = 303,

    /// <summary>The certificates do not make one chain.</summary>
    ChainBroken = 304,

    /// <summary>The trusted certificates cannot be read, or there are none.</summary>
    TrustUnusable = 305,

    /// <summary>The peer's certificate is not signed by anybody who is trusted.</summary>
    PeerUntrusted = 401,

    /// <summary>A certificate of the peer is expired, or not yet valid.</summary>
    PeerExpired = 402,

    /// <summary>The peer's certificate is for another name.</summary>
    PeerWrongHost = 403,

    /// <summary>The peer's certificate cannot be accepted.</summary>
    PeerCertificate = 404,

    /// <summary>The two sides have no version of TLS in common.</summary>
    ProtocolVersion = 405,

    /// <summary>The two sides have no signature algorithm or cipher in common.</summary>
    NoCommonAlgorithm = 406,

    /// <summary>The peer refused the handshake.</summary>
    PeerRefused = 407,

    /// <summary>The peer does not speak TLS.</summary>
    NotTls = 408,

    /// <summary>The connection broke.</summary>
    ConnectionLost = 409,

    /// <summary>The key could not sign the handshake.</summary>
    SignatureFailed = 410,

    /// <summary>The handshake failed.</summary>
    HandshakeFailed = 411,

    /// <summary>It took longer than the deadline allows.</summary>
    Deadline = 501,

    /// <summary>The identity was closed.</summary>
    IdentityClosed = 601,

    /// <summary>The operation was cancelled.</summary>
    Cancelled = 602,

    /// <summary>The process exits.</summary>
    Exiting = 603,

    /// <summary>Something went wrong inside hsmtls.</summary>
    Internal = 901,

    /// <summary>There is no memory left.</summary>
    NoMemory = 902,
}
