using System.Globalization;

namespace Adjoint.Distributed;

/// <summary>
/// The messages of a broken world. Two ranks that find the same write the same, the higher rank first.
/// </summary>
internal static class FailureText
{
    /// <summary>Where a rank is: in a call of a step, or between calls.</summary>
    public static string Where(string call, int step) =>
        call.Length == 0 ? $"between calls at step {step}" : $"in {call} of step {step}";

    public static string Silence(
        string name, bool wasHeard, ControlMessage? last, double seconds, IEnumerable<string> others, string by,
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

    public static string Seconds(double seconds) =>
        seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";

    private static string Known(ControlMessage? last, string by) => last is not { } heard
        ? ""
        : $"; {by} last heard that it was {Where(heard.Call, heard.Step)}"
            + (heard.Call.Length > 0 ? $" for {Seconds(heard.Seconds)}" : "");

    public static string OtherVersion(string one, string other) =>
        $"{one} and {other} run versions of Adjoint that do not understand each other: install the same on all ranks";

    public static string DifferentCalls(string one, MessageHeader ofOne, string other, MessageHeader ofOther)
    {
        if (ofOne.IsEnd != ofOther.IsEnd)
        {
            var ((ended, end), (waits, call)) = ofOne.IsEnd
                ? ((one, ofOne), (other, ofOther))
                : ((other, ofOther), (one, ofOne));
            return $"{ended} ended after step {end.Step}, and {waits} still waits in {call.Call} of step {call.Step}; "
                + "all ranks must take part in every call: give them the same number of batches and epochs";
        }
        return ofOne.Fingerprint == ofOther.Fingerprint && ofOne.Step == ofOther.Step
            ? $"{one} and {other} are both in {ofOne.Call} of step {ofOne.Step}, where {one} has {ofOne.Length} bytes "
                + $"and {other} {ofOther.Length}; all ranks must have the same shapes and types"
            : $"{one} is in {ofOne.Call} of step {ofOne.Step} while {other} is in {ofOther.Call} of step "
                + $"{ofOther.Step}; all ranks must run the same program with the same settings";
    }

    public static string Failed(string name, string where, Exception error) =>
        $"{name} failed {where}: {error.GetType().Name}: {error.Message}";
}
