using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint.Optim;

/// <summary>
/// Stochastic gradient descent as PyTorch's documentation of <c>SGD</c> defines it: g += λw; v = μv + g (v = g at the
/// first step); w −= η·(g + μv with Nesterov (Sutskever et al. 2013), v with momentum, g without).
/// </summary>
public sealed class Sgd : Optimizer
{
    private readonly double momentum;
    private readonly bool nesterov;

    /// <summary>Creates an optimizer of one group of parameters.</summary>
    /// <param name="parameters">The parameters of a model, as <c>model.Parameters()</c>.</param>
    /// <param name="learningRate">The learning rate η, the size of a step, 0 or more.</param>
    /// <param name="momentum">The momentum μ, in [0, 1); 0: none.</param>
    /// <param name="nesterov">Whether to use Nesterov's momentum, which needs momentum.</param>
    /// <param name="weightDecay">The weight decay λ, 0 or more.</param>
    /// <exception cref="AdjointException">
    /// A setting is outside its range: η ≥ 0, 0 ≤ μ &lt; 1, λ ≥ 0, Nesterov needs momentum.
    /// </exception>
    public Sgd(IEnumerable<Tensor> parameters, double learningRate, double momentum = 0, bool nesterov = false,
        double weightDecay = 0)
        : this([new ParameterGroup(parameters, learningRate, weightDecay)], momentum, nesterov) { }

    /// <summary>Creates an optimizer of several groups of parameters.</summary>
    /// <param name="groups">The groups; a parameter is in one of them at most.</param>
    /// <param name="momentum">The momentum μ, in [0, 1); 0: none.</param>
    /// <param name="nesterov">Whether to use Nesterov's momentum, which needs momentum.</param>
    public Sgd(IEnumerable<ParameterGroup> groups, double momentum = 0, bool nesterov = false) : base(groups)
    {
        this.momentum = Require(momentum, "momentum", momentum is >= 0 and < 1);
        this.nesterov = nesterov && momentum == 0
            ? throw new AdjointException("Sgd: Nesterov's rule needs a momentum above 0")
            : nesterov;
    }

    /// <inheritdoc/>
    protected override int StateCount => momentum == 0 ? 0 : 1;

    /// <inheritdoc/>
    protected override void Update(ParameterGroup group, Tensor parameter, Tensor gradient)
    {
        if (momentum == 0) ApplyUpdate(WithoutMomentum, group, parameter, gradient);
        else ApplyUpdate(WithMomentum, group, parameter, gradient);
    }

    private static Plain WithoutMomentum(ParameterGroup group, int steps) =>
        new(group.LearningRate, group.WeightDecay);

    private Momentum WithMomentum(ParameterGroup group, int steps) =>
        new(group.LearningRate, group.WeightDecay, momentum, nesterov);

    private readonly struct Plain(double rate, double decay) : IUpdateRule
    {
        public static int States => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V> =>
            w -= V.Splat(rate) * V.Fma(V.Splat(decay), w, g);
    }

    // A velocity of 0 before the first step makes v = g there, as defined.
    private readonly struct Momentum(double rate, double decay, double momentum, bool nesterov) : IUpdateRule
    {
        public static int States => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V>
        {
            var decayed = V.Fma(V.Splat(decay), w, g);
            s = V.Fma(V.Splat(momentum), s, decayed);
            w -= V.Splat(rate) * (nesterov ? V.Fma(V.Splat(momentum), s, decayed) : s);
        }
    }
}
