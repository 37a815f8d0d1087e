using System.Globalization;

namespace Adjoint.Distributed;

/// <summary>
/// The messages of a broken world. Two ranks that find the same write the same, the higher rank first.
/// </summary>
internal static class FailureText
{
    public static string Silence(
        string name, bool wasHeard, Place? last, double seconds, IEnumerable<string> others, string by,
        TimeSpan timeout)
    {
        var also = string.Join(", ", others);
        if (also.Length > 0) also = $", and so have {also}";
        var longer = $"a timeout above {timeout.TotalSeconds.ToString("0.##", CultureInfo.InvariantCulture)} s";
        return wasHeard
            ? $"{name} has been silent for {Seconds(seconds)}{also}{Known(last, by)}; see whether its process and "
                + $"machine still run, and the network between; a slow network needs {longer}"
            : $"{name} has not been heard of by {by} in the {Seconds(seconds)} since the start{also}; see whether it "
                + $"was started with the same program, and the network between; a slow start needs {longer}";
    }

    public static string Hung(string transport, string name, string other, double seconds) =>
        $"{transport} on {name} has not come back from a call for {other} in {Seconds(seconds)}; see whether that rank "
        + "still runs, and the network between";

    public static string LostConnection(string name, string other, Place? last, Exception error) =>
        $"{name} has lost the connection to {other}{Known(last, name)}: {error.Message}; see why that rank ended, or "
        + "the network between";

    public static string OtherVersion(string one, string other) =>
        $"{one} and {other} run versions of Adjoint that do not understand each other: install the same on all ranks";

    public static string DifferentCalls(
        string one, MessageHeader ofOne, string oneCall, string other, MessageHeader ofOther, string otherCall)
    {
        if (ofOne.IsEnd) return Ended(one, ofOne.Step, other, otherCall, ofOther.Step);
        if (ofOther.IsEnd) return Ended(other, ofOther.Step, one, oneCall, ofOne.Step);
        return ofOne.Fingerprint == ofOther.Fingerprint && ofOne.Step == ofOther.Step
            ? $"{one} and {other} are both in {oneCall} of step {ofOne.Step}, where {one} has {ofOne.Length} bytes and "
                + $"{other} {ofOther.Length}; all ranks must have the same shapes and types"
            : $"{one} is in {oneCall} of step {ofOne.Step} while {other} is in {otherCall} of step {ofOther.Step}; all "
                + "ranks must run the same program with the same settings";
    }

    public static string Failed(string name, Place place, Exception error) =>
        $"{name} failed {place}: {error.GetType().Name}: {error.Message}";

    public static string Aborted(string name, Place place) => $"{name} ended all ranks {place}";

    private static string Ended(string ended, int endStep, string waits, string call, int step) =>
        $"{ended} ended after step {endStep}, and {waits} still waits in {call} of step {step}; all ranks must take "
        + "part in every call: give them the same number of batches and epochs";

    private static string Known(Place? last, string by) => last is not { } place
        ? ""
        : $"; {by} last heard that it was {place}" + (place.Seconds >= 0.1 ? $" for {Seconds(place.Seconds)}" : "");

    private static string Seconds(double seconds) => seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
}
