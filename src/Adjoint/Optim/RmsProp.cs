using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint.Optim;

/// <summary>
/// RMSprop (Tieleman and Hinton 2012) as PyTorch's documentation defines it: v = αv + (1−α)g²; w −= η·g/(√v + ε);
/// weight decay adds λw to g.
/// </summary>
public sealed class RmsProp : Optimizer<RmsProp.UpdateRule>
{
    private readonly double alpha;
    private readonly double epsilon;

    /// <summary>Creates an optimizer of one group of parameters.</summary>
    /// <param name="parameters">The parameters of a model, as <c>model.Parameters()</c>.</param>
    /// <param name="learningRate">The learning rate η, the size of a step, 0 or more.</param>
    /// <param name="alpha">The decay α of the average of squared gradients, in [0, 1).</param>
    /// <param name="epsilon">The number ε added to the root, 0 or more.</param>
    /// <param name="weightDecay">The weight decay λ, 0 or more.</param>
    /// <exception cref="AdjointException">
    /// A setting is outside its range: η ≥ 0, 0 ≤ α &lt; 1, ε ≥ 0, λ ≥ 0.
    /// </exception>
    public RmsProp(IEnumerable<Tensor> parameters, double learningRate = 0.01, double alpha = 0.99,
        double epsilon = 1e-8, double weightDecay = 0)
        : this([new ParameterGroup(parameters, learningRate, weightDecay)], alpha, epsilon) { }

    /// <summary>Creates an optimizer of several groups of parameters.</summary>
    /// <param name="groups">The groups; a parameter is in one of them at most.</param>
    /// <param name="alpha">The decay α of the average of squared gradients, in [0, 1).</param>
    /// <param name="epsilon">The number ε added to the root, 0 or more.</param>
    public RmsProp(IEnumerable<ParameterGroup> groups, double alpha = 0.99, double epsilon = 1e-8) : base(groups)
    {
        this.alpha = Require(alpha, "alpha", alpha is >= 0 and < 1);
        this.epsilon = Require(epsilon, "epsilon", epsilon >= 0);
    }

    /// <inheritdoc/>
    protected override UpdateRule Rule(ParameterGroup group, int steps) =>
        new(group.LearningRate, alpha, epsilon, group.WeightDecay);

    /// <summary>The update of one element; s is v.</summary>
    public readonly struct UpdateRule : IUpdateRule
    {
        private readonly double rate;
        private readonly double alpha;
        private readonly double epsilon;
        private readonly double decay;

        internal UpdateRule(double rate, double alpha, double epsilon, double decay) =>
            (this.rate, this.alpha, this.epsilon, this.decay) = (rate, alpha, epsilon, decay);

        /// <inheritdoc/>
        public static int States => 1;

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V>
        {
            g = V.Fma(V.Splat(decay), w, g);
            s = V.Fma(V.Splat(1 - alpha), g * g, V.Splat(alpha) * s);
            w -= V.Splat(rate) * g / (V.Sqrt(s) + V.Splat(epsilon));
        }
    }
}
