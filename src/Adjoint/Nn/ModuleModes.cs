using Adjoint.Nn;

namespace Adjoint;

/// <summary>
/// Training and use, of modules of any type. Two kinds of layers differ: dropout drops in training and passes all on in
/// use; <see cref="BatchNorm"/> normalises by the batch and moves its running statistics in training, and by these in
/// use. All others compute the same in both. A module of one's own asks <see cref="Module.IsTraining"/>.
/// </summary>
/// <remarks>
/// The mode is no switch for gradients: in use a graph is recorded too, and under <see cref="NoGrad"/> a module in
/// training drops and moves its statistics. For inference, take both: <c>model.Eval()</c> once, and
/// <c>using var _ = new NoGrad()</c> around what computes. The mode is kept with the module, not with a thread: switch
/// it before others compute with the module.
/// </remarks>
public static class ModuleModes
{
    extension<TModule>(TModule module) where TModule : Module
    {
        /// <summary>Switches this module and all its parts to training, or to use; returns the module.</summary>
        /// <param name="on">Training (true) or use.</param>
        public TModule Train(bool on = true)
        {
            module.SetTraining(on);
            return module;
        }

        /// <summary>Switches this module and all its parts to use; returns the module.</summary>
        public TModule Eval() => module.Train(false);
    }
}
