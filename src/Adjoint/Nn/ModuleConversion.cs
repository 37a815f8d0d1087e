using Adjoint.Memory;
using Adjoint.Nn;

namespace Adjoint;

/// <summary>Modules in another element type, or on another device.</summary>
public static class ModuleConversion
{
    extension<TModule>(TModule module) where TModule : Module
    {
        /// <summary>
        /// Converts the floating-point parameters and buffers of this module and its parts, in place, rounding to the
        /// nearest; returns the module. What holds whole numbers or truth values stays.
        /// </summary>
        /// <remarks>
        /// The parameters stay the same tensors: fields, shared parameters, names and optimisers go on with them, and
        /// what an optimiser or a <c>WeightAverage</c> keeps for them follows. Their gradients are cleared. A graph
        /// that was recorded before refuses to go backward, and a captured function is recorded anew. Views and
        /// <c>StateDict()</c>s that were taken before keep the old values. Nobody may compute with the module
        /// meanwhile.
        /// </remarks>
        /// <exception cref="AdjointException">The type is not floating, or the memory cannot be had.</exception>
        public TModule To(DType type)
        {
            if (!type.IsFloating())
                throw new AdjointException(
                    $"{module.TypeName}.To: parameters are floating-point numbers: found {type.Label()}; convert to "
                    + "float32, float64, bfloat16 or float16");
            Convert(module, type, device: null);
            return module;
        }

        /// <summary>
        /// Moves the parameters and buffers of this module and its parts to a device, in place; returns the module.
        /// </summary>
        /// <remarks>
        /// The parameters stay the same tensors: fields, shared parameters, names and optimisers go on with them, and
        /// what an optimiser or a <c>WeightAverage</c> keeps for them follows. Their gradients are cleared. A graph
        /// that was recorded before refuses to go backward, and a captured function is recorded anew. Views and
        /// <c>StateDict()</c>s that were taken before stay where they are. Nobody may compute with the module
        /// meanwhile.
        /// </remarks>
        /// <exception cref="AdjointException">The memory cannot be had.</exception>
        public TModule To(Device device)
        {
            ArgumentNullException.ThrowIfNull(device);
            Convert(module, floating: null, device);
            return module;
        }
    }

    private static void Convert(Module module, DType? floating, Device? device)
    {
        Arena.RefuseWithin("a module is converted or moved");
        Conversion.Run(
            module.NamedParameters().Concat(module.NamedBuffers()).Select(entry => entry.Value), floating, device);
    }
}
