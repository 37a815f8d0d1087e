using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Explorer;

/// <summary>What a page can train: data, and how a network and its optimizer are made.</summary>
internal sealed record LiveTask
{
    /// <summary>The heading of the page.</summary>
    internal required string Title { get; init; }

    /// <summary>The samples to learn from, and those to validate on.</summary>
    internal required DataSplits Data { get; init; }

    /// <summary>Samples per step.</summary>
    internal required int BatchSize { get; init; }

    /// <summary>The seed of the first network and of the order of samples.</summary>
    internal required ulong Seed { get; init; }

    /// <summary>Makes a network from a seed.</summary>
    internal required Func<ulong, Layer> CreateModel { get; init; }

    /// <summary>Makes an optimizer by its name, for a network and a learning rate.</summary>
    internal required Func<string, Module, double, Optimizer> CreateOptimizer { get; init; }

    /// <summary>The names of the optimizers that the page offers.</summary>
    internal required IReadOnlyList<string> Optimizers { get; init; }

    /// <summary>The name of the optimizer that training begins with.</summary>
    internal required string Optimizer { get; init; }

    /// <summary>The learning rate at first, and whenever the first optimizer is chosen again.</summary>
    internal required double LearningRate { get; init; }

    /// <summary>A learning rate that suits an optimizer, by its name.</summary>
    internal required Func<string, double> RateOf { get; init; }
}
