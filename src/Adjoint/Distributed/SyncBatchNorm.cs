using Adjoint.Nn;

namespace Adjoint.Distributed;

/// <summary>
/// Batch normalization by the statistics of all ranks' samples (PyTorch's <c>SyncBatchNorm</c>): what a model computes
/// does not depend on how a batch is divided. Each layer waits for the other ranks twice in the forward pass and twice
/// in the backward pass.
/// </summary>
public static class SyncBatchNorm
{
    /// <summary>
    /// Has all <see cref="BatchNorm"/> layers of a module normalize by the mean and the variance over the samples of
    /// all ranks while they train; their running statistics follow these. Parameters, names and model files stay as
    /// they are. In a world of one, nothing changes.
    /// </summary>
    /// <param name="module">The module to convert, in place, with all modules in it.</param>
    /// <param name="communicator">The world; each rank converts its own copy, and computes one part of each batch.
    /// </param>
    /// <returns>The number of layers; 0 where the module has none.</returns>
    /// <remarks>
    /// The gradients that a backward pass leaves are those of the sum of all ranks' losses: where these are means over
    /// different numbers of samples, multiply each by its number before <c>Backward()</c>.
    /// </remarks>
    public static int Convert(Module module, Communicator communicator)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(communicator);
        BatchNorm[] layers = [.. LayersOf(module)];
        foreach (var layer in layers)
            layer.SumOverAll = communicator.Size == 1 ? null : x => x.SumOverRanks(communicator);
        return layers.Length;
    }

    /// <summary>Whether a layer of a module takes its statistics over several ranks.</summary>
    internal static bool IsIn(Module module) => LayersOf(module).Any(layer => layer.SumOverAll is not null);

    /// <summary>The layers of a module.</summary>
    internal static IEnumerable<BatchNorm> LayersOf(Module module) =>
        module.Children.SelectMany(child => LayersOf(child.Value)).Concat(module is BatchNorm own ? [own] : []);
}
