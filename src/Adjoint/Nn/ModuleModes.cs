using Adjoint.Nn;

namespace Adjoint;

/// <summary>
/// Training and evaluation mode, of modules of any type. Two kinds of layers differ: dropout drops in training only;
/// <see cref="BatchNorm"/> normalizes by the batch and updates its running statistics in training, and normalizes by
/// these in evaluation. All others compute the same in both. A module of your own reads
/// <see cref="Module.IsTraining"/>.
/// </summary>
/// <remarks>
/// The mode does not switch gradients: in evaluation mode a graph is recorded too, and under <see cref="NoGrad"/> a
/// module in training drops and updates its statistics. For inference, use both: <c>model.Eval()</c> once, and <c>using
/// var _ = new NoGrad()</c> around the computation. The mode belongs to the module, not to a thread: switch it before
/// other threads compute with the module.
/// </remarks>
public static class ModuleModes
{
    extension<TModule>(TModule module) where TModule : Module
    {
        /// <summary>Switches this module and all modules in it to training mode, or to evaluation mode.</summary>
        /// <param name="on">Whether to train; false: evaluation mode.</param>
        /// <returns>The module itself, for chaining.</returns>
        public TModule Train(bool on = true)
        {
            module.SetTraining(on);
            return module;
        }

        /// <summary>Switches this module and all modules in it to evaluation mode.</summary>
        /// <returns>The module itself, for chaining.</returns>
        public TModule Eval() => module.Train(false);
    }
}
