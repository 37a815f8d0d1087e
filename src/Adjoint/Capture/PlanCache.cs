using Adjoint.Memory;

namespace Adjoint;

/// <summary>The plans of one function, the one used last in front, and the decision what a call does.</summary>
internal sealed class PlanCache(Func<Tensor[], Tensor[]> function, bool fallBackToEager)
{
    /// <summary>The most plans that are kept.</summary>
    internal const int MaxPlans = 8;

    // Kinds of inputs whose first call was eager.
    private const int MaxSeen = 256;

    // So many recordings without a replay say that there will be none.
    private const int MaxInVain = 6;

    // A plan that was used within so many calls is not given up for another.
    private const int Recent = 64;

    private readonly List<CapturedPlan> plans = [];
    private readonly HashSet<string> seen = [];
    private string? refusal;
    private string? misfit;
    private int inVain;
    private long replayed, recorded, eager;

    /// <summary>How many there are.</summary>
    internal int Count => plans.Count;

    /// <summary>The one used last.</summary>
    internal CapturedPlan? Latest => plans.Count > 0 ? plans[0] : null;

    /// <summary>Why the function runs eagerly, for good or with the inputs of the call before; else null.</summary>
    internal string? Refusal => refusal ?? misfit;

    /// <summary>Bytes of the buffers that they own; what they share counts once.</summary>
    internal long Bytes => plans.Sum(plan => plan.OwnBytes) + Slabs.Sum(slab => (long)slab.Length);

    /// <summary>How the calls were computed.</summary>
    internal CaptureReport Report =>
        new(replayed, recorded, eager, Count, Latest?.Operations ?? 0, Bytes, Refusal);

    private long Calls => replayed + recorded + eager;

    private IEnumerable<Slab> Slabs => plans.SelectMany(plan => plan.Slabs).Distinct();

    /// <summary>Calls a function as it is; its results are the caller's, without a graph.</summary>
    internal static Tensor[] RunEagerly(Func<Tensor[], Tensor[]> function, ReadOnlySpan<Tensor> given)
    {
        // What is asked of an input inside, such as a gradient, is not asked of the caller's tensor, nor by a replay.
        var own = given.ToArray();
        foreach (ref var input in own.AsSpan())
            if (!input.RequiresGrad && input.IsLeaf) input = input.Detach();
        // A result may be an input, a parameter or a part of the graph, and is to be there after they have changed.
        return CopyOf(function(own));
    }

    /// <summary>The same values, the caller's, without a graph.</summary>
    internal static Tensor[] CopyOf(Tensor[] results)
    {
        var own = new Tensor[results.Length];
        for (var i = 0; i < own.Length; i++)
        {
            own[i] = Tensor.Empty(results[i].Shape, results[i].DType, results[i].Device);
            Backend.Run(new Primitives.Copy(), results[i], own[i]);
        }
        return own;
    }

    internal Tensor[] Run(ReadOnlySpan<Tensor> given)
    {
        var execution = Execution.Current;
        // A replay checks no results and builds no graph.
        if (refusal is not null || execution.AnomalyMode.IsOn || execution.Trace is not null)
            return RunAsItIs(given);
        string? changed = null;
        for (var i = 0; i < plans.Count; i++)
        {
            var plan = plans[i];
            if (!plan.Fits(given) || !plan.IsCurrent(out changed)) continue;
            misfit = plan.Overwritten(given) is { } number
                ? $"input {number} lies in memory that it writes in place; pass a .Clone() of it"
                : null;
            if (misfit is not null) return RunMisfit(given);
            if (i > 0)
            {
                plans.RemoveAt(i);
                plans.Insert(0, plan);
            }
            inVain = 0;
            replayed++;
            plan.LastCall = Calls;
            return plan.Replay(given);
        }
        misfit = Misfit(given);
        return misfit is not null ? RunMisfit(given)
            : IsFirst(given) ? RunAsItIs(given)
            : changed is null && IsCrowded() ? RunAsItIs(given)
            : Record(given, changed);
    }

    private static string? Misfit(ReadOnlySpan<Tensor> given)
    {
        for (var i = 0; i < given.Length; i++)
            if (given[i].RequiresGrad)
                return $"input {i} {given[i].Shape} requires a gradient, which a replay would not compute; pass it "
                    + ".Detach()ed, and call .RequireGrad() on it inside, or let the function take it from outside";
            else if (given[i].Device != Device.Cpu)
                return $"input {i} is on {given[i].Device.Name}, and replays are the CPU's";
        return null;
    }

    private Tensor[] RunMisfit(ReadOnlySpan<Tensor> given) =>
        fallBackToEager ? RunAsItIs(given) : throw new CaptureException(misfit!);

    private Tensor[] Record(ReadOnlySpan<Tensor> given, string? changed)
    {
        try
        {
            if (changed is not null && inVain++ == MaxInVain)
                Arena.Refuse(
                    $"it would be recorded at each call, since something changes from one to the next: {changed}");
            // Recording computes too: what the function writes in place must be written once.
            var plan = CapturedPlan.Record(function, given, Slabs);
            if (plans.Count == MaxPlans) plans.RemoveAt(MaxPlans - 1);
            plans.Insert(0, plan);
            recorded++;
            plan.LastCall = Calls;
            return plan.Results();
        }
        catch (CaptureException error) when (fallBackToEager)
        {
            refusal = error.Reason;
            plans.Clear();
            return RunAsItIs(given);
        }
    }

    // More kinds of inputs in turn than there are plans would be recorded again and again.
    private bool IsCrowded()
    {
        var isCrowded = plans.Count == MaxPlans && Calls - plans[^1].LastCall < Recent;
        if (isCrowded)
            misfit = $"the {MaxPlans} plans are those of other shapes, types or modes, all in use of late; pass fewer "
                + "kinds of inputs, padded to a few sizes for instance";
        return isCrowded;
    }

    private Tensor[] RunAsItIs(ReadOnlySpan<Tensor> given)
    {
        eager++;
        return RunEagerly(function, given);
    }

    // What is made at the first use of a shape, an optimizer's state or a mask that the program keeps, is made eagerly.
    private bool IsFirst(ReadOnlySpan<Tensor> given)
    {
        var kind = string.Concat(given.ToArray().Select(input => $"{input.Shape} {input.DType.Label()} "));
        if (seen.Count == MaxSeen) seen.Clear();
        return seen.Add(kind);
    }
}
