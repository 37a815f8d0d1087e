using Adjoint.Memory;
using Adjoint.Nn;

namespace Adjoint;

/// <summary>Converts modules to another element type, or moves them to another device.</summary>
public static class ModuleConversion
{
    extension<TModule>(TModule module) where TModule : Module
    {
        /// <summary>
        /// Converts the floating-point parameters and buffers of this module and its children, in place, rounding to
        /// the nearest. Integers and truth values stay.
        /// </summary>
        /// <param name="type">A floating type.</param>
        /// <returns>The module itself, for chaining.</returns>
        /// <exception cref="AdjointException">The type is not floating, or the memory cannot be had.</exception>
        /// <remarks>
        /// The parameters stay the same tensors: fields, shared parameters, names and optimizers keep them, and what an
        /// optimizer or a <c>WeightAverage</c> holds for them follows. Their gradients are cleared. A graph that was
        /// recorded before refuses to go backward, and a captured function is recorded anew. Views and
        /// <c>StateDict()</c>s that were taken before keep the old values. No other thread may compute with the module
        /// meanwhile.
        /// </remarks>
        public TModule To(DType type)
        {
            if (!type.IsFloating())
                throw new AdjointException(
                    $"{module.TypeName}.To: parameters are floating-point numbers: found {type.Label()}; convert to "
                    + "float32, float64, bfloat16 or float16");
            Convert(module, type, device: null);
            return module;
        }

        /// <summary>Moves the parameters and buffers of this module and its children to a device, in place.</summary>
        /// <param name="device">The device to move to.</param>
        /// <returns>The module itself, for chaining.</returns>
        /// <exception cref="AdjointException">The memory cannot be had.</exception>
        /// <remarks>
        /// The parameters stay the same tensors: fields, shared parameters, names and optimizers keep them, and what an
        /// optimizer or a <c>WeightAverage</c> holds for them follows. Their gradients are cleared. A graph that was
        /// recorded before refuses to go backward, and a captured function is recorded anew. Views and
        /// <c>StateDict()</c>s that were taken before stay where they are. No other thread may compute with the module
        /// meanwhile.
        /// </remarks>
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
