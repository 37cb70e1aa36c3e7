# Completion of cumulo for fish: cumulo completions fish > ~/.config/fish/completions/cumulo.fish
function __cumulo_complete
    set -l found (cumulo complete fish (commandline --cut-at-cursor | string collect) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline --current-token --cut-at-cursor)
    end
end
complete --command cumulo --no-files --arguments '(__cumulo_complete)'
