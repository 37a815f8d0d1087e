using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Explorer;

/// <summary>What a page can train: data, and how a network and an optimiser of it are made.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Data">To learn from, and to validate on.</param>
/// <param name="CreateModel">A network from a seed.</param>
/// <param name="CreateOptimizer">An optimiser by name, for a network and a learning rate.</param>
/// <param name="Optimizers">The names.</param>
/// <param name="Optimizer">The first.</param>
/// <param name="LearningRate">At first, and whenever the first optimiser is chosen again.</param>
/// <param name="RateOf">A learning rate that suits an optimiser, by its name.</param>
/// <param name="BatchSize">Samples per step.</param>
/// <param name="Seed">Of the first network and the order of samples.</param>
internal sealed record LearningTask(
    string Title, DataSplits Data, Func<ulong, Layer> CreateModel,
    Func<string, Module, double, Optimizer> CreateOptimizer, IReadOnlyList<string> Optimizers, string Optimizer,
    double LearningRate, Func<string, double> RateOf, int BatchSize, ulong Seed);
