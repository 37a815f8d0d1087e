using System.Reflection;
using System.Reflection.Emit;

namespace Adjoint.Tests;

/// <summary>The intermediate code of a method, instruction by instruction.</summary>
internal static class Instructions
{
    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields()
        .Select(field => field.GetValue(null)).OfType<OpCode>().ToDictionary(code => code.Value);

    /// <summary>
    /// Nothing where the method has no body. A token, a number or a branch's distance is the operand.
    /// </summary>
    internal static IEnumerable<(OpCode Code, int Operand)> Of(MethodBase method) =>
        Read(method.GetMethodBody()?.GetILAsByteArray() ?? []).Select(one => (one.Code, one.Operand));

    /// <summary>Whether a branch leads back.</summary>
    internal static bool HasLoop(MethodBase method) =>
        Read(method.GetMethodBody()?.GetILAsByteArray() ?? []).Any(one => one.LeadsBack);

    private static IEnumerable<(OpCode Code, int Operand, bool LeadsBack)> Read(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            var first = code[at++];
            var op = Codes[first == 0xFE ? (short)(0xFE00 | code[at++]) : first];
            var count = op.OperandType == OperandType.InlineSwitch ? BitConverter.ToInt32(code, at) : 0;
            var size = op.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * count,
                _ => 4,
            };
            var operand = size switch
            {
                0 => 0,
                1 => (sbyte)code[at],
                2 => BitConverter.ToInt16(code, at),
                _ => BitConverter.ToInt32(code, at),
            };
            yield return (op, operand, op.OperandType switch
            {
                OperandType.ShortInlineBrTarget or OperandType.InlineBrTarget => operand < 0,
                OperandType.InlineSwitch => Enumerable.Range(1, count)
                    .Any(one => BitConverter.ToInt32(code, at + 4 * one) < 0),
                _ => false,
            });
            at += size;
        }
    }
}
