# Completion of cumulo for bash: cumulo completions bash > ~/.local/share/bash-completion/completions/cumulo
_cumulo() {
    local line=${COMP_LINE:0:COMP_POINT} IFS=$'\n'
    local typed=${line##*[[:space:]]}
    # bash takes a word apart at `=` and `:`, and wants only the part behind.
    local before=${typed%"$2"}
    COMPREPLY=($(cumulo complete bash "$line" 2>/dev/null))
    if ((${#COMPREPLY[@]} == 0)); then
        [[ $typed == *=@* ]] && before=${typed%%=@*}=@
        COMPREPLY=($(compgen -f -- "${typed#"$before"}"))
        compopt -o filenames 2>/dev/null
        return
    fi
    [[ ${COMPREPLY[0]} == *[=.@] ]] && compopt -o nospace 2>/dev/null
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
complete -F _cumulo cumulo
