using System.Reflection;
using System.Reflection.Emit;

namespace Adjoint.Tests.Ops;

/// <summary>Which methods a delegate calls, read from its code; what lambdas within it call is among them.</summary>
internal static class CalledMethods
{
    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields()
        .Select(field => field.GetValue(null)).OfType<OpCode>().ToDictionary(code => code.Value);

    internal static IEnumerable<MethodBase> Of(Delegate call)
    {
        var (open, found) = (new Stack<MethodBase>([call.Method]), new HashSet<MethodBase>());
        while (open.TryPop(out var method))
            foreach (var next in Direct(method))
                if (found.Add(next) && next.DeclaringType!.Assembly == typeof(CalledMethods).Assembly) open.Push(next);
        // A row made by a method of the tests calls what that was given.
        foreach (var captured in call.Target?.GetType()
            .GetFields(BindingFlags.Public | BindingFlags.Instance) ?? [])
            if (captured.GetValue(call.Target) is Delegate inner) found.UnionWith(Of(inner));
        return found;
    }

    private static IEnumerable<MethodBase> Direct(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code) yield break;
        var type = method.DeclaringType!;
        for (var at = 0; at < code.Length;)
        {
            var first = code[at++];
            var op = Codes[first == 0xFE ? (short)(0xFE00 | code[at++]) : first];
            if (op.OperandType == OperandType.InlineMethod)
                yield return method.Module.ResolveMethod(BitConverter.ToInt32(code, at),
                    type.IsGenericType ? type.GetGenericArguments() : null,
                    method.IsGenericMethod ? method.GetGenericArguments() : null)!;
            at += op.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }
}
