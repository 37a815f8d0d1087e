using System.Collections.Frozen;

namespace Adjoint.Explorer;

/// <summary>
/// Ports that no browser opens a page on, whatever serves it: they belong to protocols that a page could be made to
/// speak. The fetch standard's list of bad ports (https://fetch.spec.whatwg.org/#bad-port).
/// </summary>
internal static class BlockedPorts
{
    private static readonly FrozenSet<int> All = new[]
    {
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
        104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513,
        514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720,
        1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    }.ToFrozenSet();

    internal static bool Contains(int port) => All.Contains(port);

    /// <summary>
    /// Why a port that the user asked for cannot be used, with the remedy; null where it can. 0 asks for any.
    /// </summary>
    internal static string? Refusal(int port) => port switch
    {
        0 => null,
        < 0 or > 65535 => $"{port} is out of range; use 1 to 65535, or 0 for any free one",
        _ when Contains(port) => $"browsers block {port}, whatever serves it (the fetch standard's bad ports); "
            + "name another, such as 8080, or leave it out for any free one",
        _ => null,
    };
}
