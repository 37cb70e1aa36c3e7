#compdef cumulo
# Completion of cumulo for zsh: cumulo completions zsh > a file called _cumulo in a folder of $fpath
_cumulo() {
    local value about
    local -a values shown open open_shown
    while IFS=$'\t' read -r value about; do
        case $value in
            *[=.@]) open+=("$value"); open_shown+=("$value  $about") ;;
            *) values+=("$value"); shown+=("$value  $about") ;;
        esac
    done < <(cumulo complete zsh "$LBUFFER" 2>/dev/null)
    if (( $#values + $#open == 0 )); then
        compset -P '*=@'
        _files
        return
    fi
    (( $#values )) && compadd -l -d shown -a values
    (( $#open )) && compadd -l -S '' -d open_shown -a open
}
if [ "$funcstack[1]" = "_cumulo" ]; then _cumulo "$@"; else compdef _cumulo cumulo; fi
