namespace HsmTls;

/// <summary>What has happened to an identity's token since the process began.</summary>
public sealed record HsmIdentityCounters
{
    /// <summary>How many sessions are open now.</summary>
    public required int OpenSessions { get; init; }

    /// <summary>How often the token went away or dropped its sessions.</summary>
    public required long Lost { get; init; }

    /// <summary>How often it came back.</summary>
    public required long Restored { get; init; }

    /// <summary>How many signatures it made.</summary>
    public required long Signatures { get; init; }

    /// <summary>How many it did not make.</summary>
    public required long FailedSignatures { get; init; }
}
