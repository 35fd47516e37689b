/**
 * The scripts by which shells ask `baton __complete` what may stand at the cursor. Its answer is `:words`, `:files` or
 * `:dirs` on the first line, and then a candidate a line, each with its description after a tab. Nothing that was
 * typed is evaluated.
 */

const BASH = `# Completion of baton for bash.
_baton() {
  local -a words=() lines=()
  local i word raw current prefix line IFS=$' \\t\\n'
  # Bash takes = and : for the ends of words; they are put together again here.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ \${#words[@]} -gt 0 && ( $word == [=:]* || \${words[-1]} == *[=:] ) ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  COMPREPLY=()
  mapfile -t lines < <(baton __complete -- "\${words[@]}" 2>/dev/null)
  case \${lines[0]-} in
    :files) compopt -o default 2>/dev/null; return ;;
    :dirs) compopt -o dirnames 2>/dev/null; return ;;
  esac
  current=\${words[-1]}
  raw=\${COMP_WORDS[COMP_CWORD]}
  [[ $raw == [=:] ]] && raw=
  prefix=\${current%"$raw"}
  for line in "\${lines[@]:1}"; do
    word=\${line%%$'\\t'*}
    printf -v word '%q' "\${word#"$prefix"}"
    COMPREPLY+=("$word")
  done
}
complete -F _baton baton
`;

const ZSH = `#compdef baton
# Completion of baton for zsh.
_baton() {
  local -a lines described
  local line value
  lines=("\${(@f)$(baton __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  case \${lines[1]} in
    :files) _files; return ;;
    :dirs) _files -/; return ;;
  esac
  for line in \${lines[2,-1]}; do
    value=\${line%%$'\\t'*}
    described+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe 'baton' described
}
if [[ \${funcstack[1]} == _baton ]]; then
  _baton "$@"
else
  compdef _baton baton
fi
`;

const FISH = `# Completion of baton for fish.
function __baton_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (baton __complete -- $words[2..-1] "$current" 2>/dev/null)
    switch "$lines[1]"
        case :files
            __fish_complete_path "$current"
        case :dirs
            __fish_complete_directories "$current"
        case '*'
            printf '%s\\n' $lines[2..-1]
    end
end
complete -c baton -e
complete -c baton -f -k -a '(__baton_complete)'
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
export type Shell = keyof typeof SCRIPTS;
