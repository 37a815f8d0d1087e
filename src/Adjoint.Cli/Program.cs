using Adjoint.Cli;

return Tool.Run(args, Console.Out, Console.Error);
