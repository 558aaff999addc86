/**
 * The scripts that `btfkit complete SHELL` prints. They hand the words of the
 * command line to `btfkit complete -- WORDS` as arguments: nothing that is typed
 * is evaluated. Where no candidate comes back, the shell completes file names.
 */

const BASH = String.raw`# bash completion for btfkit
_btfkit() {
  local candidate rest
  COMPREPLY=()
  while IFS=$'\t' read -r candidate rest; do
    [ -n "$candidate" ] && COMPREPLY+=("$candidate")
  done < <(btfkit complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _btfkit btfkit
`.replaceAll("\\$", "$");

const ZSH = String.raw`#compdef btfkit
# zsh completion for btfkit
_btfkit() {
  local line
  local -a candidates
  while IFS= read -r line; do
    candidates+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}")
  done < <(btfkit complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#candidates )); then _describe btfkit candidates; else _files; fi
}
if [ "$funcstack[1]" = _btfkit ]; then _btfkit "$@"; else compdef _btfkit btfkit; fi
`.replaceAll("\\$", "$");

const FISH = `# fish completion for btfkit
function __btfkit_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token --cut-at-cursor)
    btfkit complete -- $words[2..-1] 2>/dev/null
end
complete --command btfkit --keep-order --arguments '(__btfkit_complete)'
`;

const POWERSHELL = `# PowerShell completion for btfkit
Register-ArgumentCompleter -Native -CommandName btfkit -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.Extent.Text })
  # An empty argument would be dropped.
  if ($wordToComplete -eq '') { $words += ' ' }
  & btfkit complete -- @words 2>$null | ForEach-Object {
    $value, $text = $_ -split [char]9, 2
    if (-not $text) { $text = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $text)
  }
}
`;

export const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };
