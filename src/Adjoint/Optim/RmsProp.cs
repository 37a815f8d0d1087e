using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint.Optim;

/// <summary>RMSprop (Tieleman and Hinton 2012) as PyTorch's documentation defines it: v = αv + (1−α)g²; w −= η·g/(√v + ε); weight decay adds λw to g.</summary>
public sealed class RmsProp : Optimizer<RmsProp.UpdateRule>
{
    private readonly double alpha;
    private readonly double epsilon;

    /// <summary>For one group of parameters.</summary>
    /// <exception cref="AdjointException">A setting is outside its range: η ≥ 0, 0 ≤ α &lt; 1, ε ≥ 0, λ ≥ 0.</exception>
    public RmsProp(IEnumerable<Tensor> parameters, double learningRate = 0.01, double alpha = 0.99, double epsilon = 1e-8, double weightDecay = 0)
        : this([new ParameterGroup(parameters, learningRate, weightDecay)], alpha, epsilon) { }

    /// <summary>For several groups.</summary>
    public RmsProp(IEnumerable<ParameterGroup> groups, double alpha = 0.99, double epsilon = 1e-8) : base(groups)
    {
        this.alpha = Require(alpha, "alpha", alpha is >= 0 and < 1);
        this.epsilon = Require(epsilon, "epsilon", epsilon >= 0);
    }

    /// <inheritdoc/>
    protected override UpdateRule Rule(ParameterGroup group, int steps) =>
        new(group.LearningRate, alpha, epsilon, group.WeightDecay);

    /// <summary>The rule for one element; s is v.</summary>
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
