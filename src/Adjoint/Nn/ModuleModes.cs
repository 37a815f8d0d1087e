using Adjoint.Nn;

namespace Adjoint;

/// <summary>Training and use, of modules of any type: what is returned is the module itself, as what it is.</summary>
public static class ModuleModes
{
    extension<TModule>(TModule module) where TModule : Module
    {
        /// <summary>Switches this module and its parts to training; returns the module.</summary>
        public TModule Train(bool on = true)
        {
            module.SetTraining(on);
            return module;
        }

        /// <summary>Switches this module and its parts to use; returns the module.</summary>
        public TModule Eval() => module.Train(false);
    }
}
