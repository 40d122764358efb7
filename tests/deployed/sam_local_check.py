"""What `sam local` would hand to each function, asked of sam itself, holds all of docs/sam-local.json."""

import json
import pathlib
import sys

from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.lambdafn.env_vars import EnvironmentVariables

if __name__ == "__main__":
    template, variables = sys.argv[1:]
    wanted = json.loads(pathlib.Path(variables).read_text())["Parameters"]
    stacks, _ = SamLocalStackProvider.get_stacks(template)
    functions = list(SamFunctionProvider(stacks).get_all())
    for function in functions:
        given = EnvironmentVariables(function.name, function.memory, function.timeout, function.handler,
                                     variables=function.environment["Variables"]).resolve()
        missing = {name for name in wanted if given.get(name) != wanted[name]}
        assert not missing, f"sam local would not tell {function.name} of {missing}"
    assert len(functions) == len(list(pathlib.Path("functions").iterdir())), "a function is missing"
    print(f"sam local: {len(functions)} functions are told what docs/sam-local.json says")
