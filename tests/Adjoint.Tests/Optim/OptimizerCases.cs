using Adjoint.Optim;

namespace Adjoint.Tests.Optim;

/// <summary>A published update rule in plain float64: changes a weight, and the state beside it.</summary>
/// <param name="step">From 1 on.</param>
/// <param name="w">The weight.</param>
/// <param name="g">Its gradient.</param>
/// <param name="state">Two numbers, 0 at the beginning.</param>
internal delegate void UpdateRule(int step, ref double w, double g, double[] state);

/// <summary>A row of the table of optimizers.</summary>
/// <param name="Name">The type's, and after a comma what is special.</param>
/// <param name="Create">Makes one over parameters.</param>
/// <param name="Rule">What a step does.</param>
internal sealed record OptimizerCase(string Name, Func<IEnumerable<Tensor>, Optimizer> Create, UpdateRule Rule);

/// <summary>The table of optimizers; what follows from a row is in <see cref="OptimizerTests"/>.</summary>
internal static class OptimizerCases
{
    private const double Rate = 0.05;
    private const double Decay = 0.1;

    internal static IReadOnlyList<OptimizerCase> All { get; } =
    [
        new("Sgd", p => new Sgd(p, Rate, weightDecay: Decay),
            (int _, ref double w, double g, double[] _) => w -= Rate * (g + Decay * w)),
        new("Sgd, with momentum", p => new Sgd(p, Rate, 0.9, weightDecay: Decay),
            (int step, ref double w, double g, double[] s) =>
            {
                g += Decay * w;
                s[0] = step == 1 ? g : 0.9 * s[0] + g;
                w -= Rate * s[0];
            }),
        new("Sgd, by Nesterov's rule", p => new Sgd(p, Rate, 0.9, nesterov: true, weightDecay: Decay),
            (int step, ref double w, double g, double[] s) =>
            {
                g += Decay * w;
                s[0] = step == 1 ? g : 0.9 * s[0] + g;
                w -= Rate * (g + 0.9 * s[0]);
            }),
        new("Adam", p => new Adam(p, Rate, weightDecay: Decay),
            (int step, ref double w, double g, double[] s) => Adam(step, ref w, g + Decay * w, s)),
        new("AdamW", p => new AdamW(p, Rate, weightDecay: Decay),
            (int step, ref double w, double g, double[] s) =>
            {
                w -= Rate * Decay * w;
                Adam(step, ref w, g, s);
            }),
        new("RmsProp", p => new RmsProp(p, Rate, weightDecay: Decay),
            (int _, ref double w, double g, double[] s) =>
            {
                g += Decay * w;
                s[0] = 0.99 * s[0] + 0.01 * g * g;
                w -= Rate * g / (Math.Sqrt(s[0]) + 1e-8);
            }),
    ];

    internal static OptimizerCase Named(string name) => All.Single(row => row.Name == name);

    internal static TheoryData<string> Names() => [.. All.Select(row => row.Name)];

    private static void Adam(int step, ref double w, double g, double[] s)
    {
        s[0] = 0.9 * s[0] + 0.1 * g;
        s[1] = 0.999 * s[1] + 0.001 * g * g;
        w -= Rate * (s[0] / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(s[1] / (1 - Math.Pow(0.999, step))) + 1e-8);
    }
}
