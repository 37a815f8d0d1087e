using Adjoint.Kernels;

namespace Adjoint.Optim;

/// <summary>
/// An optimizer with an element-wise rule: derive, and return the rule with the numbers of a step. It runs on all
/// threads in one pass over gradient, parameter and states, in the type of the parameter; the states are zeros at
/// first, and are saved and loaded with <see cref="Optimizer.StateDict"/>. See <c>samples/own-optimizer.cs</c>.
/// </summary>
/// <typeparam name="TUpdate">The rule: w, s and t from w, g, s and t.</typeparam>
/// <param name="groups">The groups; a parameter is in one of them at most.</param>
/// <param name="weightDecay">The weight decay λ of groups that set none.</param>
/// <exception cref="AdjointException">There is no group, or a parameter is in two.</exception>
public abstract class Optimizer<TUpdate>(IEnumerable<ParameterGroup> groups, double weightDecay = 0)
    : Optimizer(groups, weightDecay) where TUpdate : struct, IUpdateRule
{
    /// <inheritdoc/>
    protected sealed override int StateCount => Primitives.ParameterUpdate<TUpdate>.States;

    /// <summary>
    /// The rule with the numbers of this step. Called at each step for each parameter, so learning rate and settings
    /// are read anew: it must not count or keep anything.
    /// </summary>
    /// <param name="group">The parameter's group, with its learning rate and weight decay.</param>
    /// <param name="steps">
    /// How many steps the parameter has taken, this one included: those in which it had a gradient, or, for a rule
    /// without states, all steps of the optimizer.
    /// </param>
    /// <returns>The rule, a small struct.</returns>
    protected abstract TUpdate Rule(ParameterGroup group, int steps);

    /// <inheritdoc/>
    protected sealed override void Update(ParameterGroup group, Tensor parameter, Tensor gradient) =>
        ApplyUpdate(Rule, group, parameter, gradient);
}
