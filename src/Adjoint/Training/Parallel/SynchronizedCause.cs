using Adjoint.Distributed;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>
/// Finds the op that made a loss infinite or NaN where ranks compute it together (<see cref="SyncBatchNorm"/>). Who
/// finds an op stops there, and the others would wait for it: so first all compute the loss once more, to the end, and
/// keep the sums over the ranks; with these, each looks by itself.
/// </summary>
internal static class SynchronizedCause
{
    /// <summary>The op that made the loss so, the same on all ranks, which all call it; null: no single one.</summary>
    /// <param name="communicator">The ranks.</param>
    /// <param name="model">The model of this rank.</param>
    /// <param name="compute">Computes the loss of this rank's part of the batch.</param>
    /// <param name="find">Computes that loss again, and finds the op; null: there is none.</param>
    internal static string? Find(Communicator communicator, Module model, Action compute, Func<string?> find)
    {
        var layers = SyncBatchNorm.LayersOf(model).Where(layer => layer.SumOverAll is not null)
            .Select(layer => (Layer: layer, Sum: layer.SumOverAll!)).ToArray();
        var (sums, used) = (new List<Tensor>(), 0);
        string? own;
        try
        {
            foreach (var (layer, sum) in layers)
                layer.SumOverAll = x =>
                {
                    var all = sum(x);
                    sums.Add(all);
                    return all;
                };
            using (new NoGrad()) compute();
            foreach (var (layer, _) in layers) layer.SumOverAll = _ => sums[used++];
            own = find();
        }
        finally
        {
            foreach (var (layer, sum) in layers) layer.SumOverAll = sum;
        }
        // What one rank made is in the sums of all after it: it came from where it is found first.
        return BatchReport.Exchange(communicator, new() { Bad = used, Cause = own })
            .Where(report => report.Cause is not null).MinBy(report => report.Bad)?.Cause;
    }
}
