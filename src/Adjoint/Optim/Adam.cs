using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint.Optim;

/// <summary>
/// Adam (Kingma and Ba 2015, algorithm 1): m = β₁m + (1−β₁)g; v = β₂v + (1−β₂)g²; w −= η·m̂/(√v̂ + ε) with m̂ =
/// m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ). t counts the steps in which the parameter had a gradient. Weight decay adds λw to g, as
/// in PyTorch's <c>Adam</c>.
/// </summary>
public class Adam : Optimizer<Adam.UpdateRule>
{
    private readonly double beta1;
    private readonly double beta2;
    private readonly double epsilon;
    private readonly bool decoupled;

    /// <summary>Creates an optimizer of one group of parameters.</summary>
    /// <param name="parameters">The parameters of a model, as <c>model.Parameters()</c>.</param>
    /// <param name="learningRate">The learning rate η, the size of a step, 0 or more.</param>
    /// <param name="beta1">The decay β₁ of the average of gradients, in [0, 1).</param>
    /// <param name="beta2">The decay β₂ of the average of squared gradients, in [0, 1).</param>
    /// <param name="epsilon">The number ε added to the root, 0 or more.</param>
    /// <param name="weightDecay">The weight decay λ, 0 or more.</param>
    /// <exception cref="AdjointException">
    /// A setting is outside its range: η ≥ 0, 0 ≤ β &lt; 1, ε ≥ 0, λ ≥ 0.
    /// </exception>
    public Adam(IEnumerable<Tensor> parameters, double learningRate = 0.001, double beta1 = 0.9, double beta2 = 0.999,
        double epsilon = 1e-8, double weightDecay = 0)
        : this([new ParameterGroup(parameters, learningRate, weightDecay)], beta1, beta2, epsilon) { }

    /// <summary>Creates an optimizer of several groups of parameters.</summary>
    /// <param name="groups">The groups; a parameter is in one of them at most.</param>
    /// <param name="beta1">The decay β₁ of the average of gradients, in [0, 1).</param>
    /// <param name="beta2">The decay β₂ of the average of squared gradients, in [0, 1).</param>
    /// <param name="epsilon">The number ε added to the root, 0 or more.</param>
    public Adam(IEnumerable<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
        : this(groups, beta1, beta2, epsilon, weightDecay: 0, decoupled: false) { }

    private protected Adam(
        IEnumerable<ParameterGroup> groups, double beta1, double beta2, double epsilon, double weightDecay,
        bool decoupled)
        : base(groups, weightDecay)
    {
        this.beta1 = Require(beta1, "beta1", beta1 is >= 0 and < 1);
        this.beta2 = Require(beta2, "beta2", beta2 is >= 0 and < 1);
        this.epsilon = Require(epsilon, "epsilon", epsilon >= 0);
        this.decoupled = decoupled;
    }

    /// <inheritdoc/>
    protected override UpdateRule Rule(ParameterGroup group, int steps) =>
        new(group.LearningRate, steps, beta1, beta2, epsilon, group.WeightDecay, decoupled);

    /// <summary>The update of one element; s is m, t is v.</summary>
    public readonly struct UpdateRule : IUpdateRule
    {
        private readonly double rate;
        private readonly double correction;
        private readonly double decay;
        private readonly double shrink;
        private readonly double beta1;
        private readonly double beta2;
        private readonly double epsilon;

        internal UpdateRule(
            double learningRate, int steps, double beta1, double beta2, double epsilon, double weightDecay,
            bool decoupled)
        {
            rate = learningRate / (1 - Math.Pow(beta1, steps));
            correction = 1 / Math.Sqrt(1 - Math.Pow(beta2, steps));
            decay = decoupled ? 0 : weightDecay;
            shrink = decoupled ? 1 - learningRate * weightDecay : 1;
            (this.beta1, this.beta2, this.epsilon) = (beta1, beta2, epsilon);
        }

        /// <inheritdoc/>
        public static int States => 2;

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V>
        {
            g = V.Fma(V.Splat(decay), w, g);
            s = V.Fma(V.Splat(1 - beta1), g, V.Splat(beta1) * s);
            t = V.Fma(V.Splat(1 - beta2), g * g, V.Splat(beta2) * t);
            w = w * V.Splat(shrink) - V.Splat(rate) * s / (V.Sqrt(t) * V.Splat(correction) + V.Splat(epsilon));
        }
    }
}

/// <summary>
/// Adam with decoupled weight decay, w −= ηλw (Loshchilov and Hutter 2019), as PyTorch's <c>AdamW</c>.
/// </summary>
public sealed class AdamW : Adam
{
    /// <summary>Creates an optimizer of one group of parameters.</summary>
    /// <param name="parameters">The parameters of a model, as <c>model.Parameters()</c>.</param>
    /// <param name="learningRate">The learning rate η, the size of a step, 0 or more.</param>
    /// <param name="beta1">The decay β₁ of the average of gradients, in [0, 1).</param>
    /// <param name="beta2">The decay β₂ of the average of squared gradients, in [0, 1).</param>
    /// <param name="epsilon">The number ε added to the root, 0 or more.</param>
    /// <param name="weightDecay">The weight decay λ, 0 or more.</param>
    public AdamW(IEnumerable<Tensor> parameters, double learningRate = 0.001, double beta1 = 0.9, double beta2 = 0.999,
        double epsilon = 1e-8, double weightDecay = 0.01)
        : this([new ParameterGroup(parameters, learningRate, weightDecay)], beta1, beta2, epsilon) { }

    /// <summary>Creates an optimizer of several groups of parameters.</summary>
    /// <param name="groups">The groups; a parameter is in one of them at most.</param>
    /// <param name="beta1">The decay β₁ of the average of gradients, in [0, 1).</param>
    /// <param name="beta2">The decay β₂ of the average of squared gradients, in [0, 1).</param>
    /// <param name="epsilon">The number ε added to the root, 0 or more.</param>
    /// <param name="weightDecay">The weight decay λ of groups that set none, 0 or more.</param>
    public AdamW(
        IEnumerable<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8,
        double weightDecay = 0.01)
        : base(groups, beta1, beta2, epsilon, weightDecay, decoupled: true) { }
}
