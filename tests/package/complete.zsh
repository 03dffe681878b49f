# What TAB offers in zsh, one word a line behind "@", into a file; "@@" is its end. Usage: complete.zsh FUNCTIONS LINE FILE
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=($1 \$fpath); PS1= PS2=; autoload -Uz compinit; compinit -u -D"
# compadd is asked with -A what it would add, before it adds.
zpty -w shell 'compadd() {
  local -a would
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)* ]]; then builtin compadd "$@"; return; fi
  builtin compadd -A would "$@"
  (( $#would )) && print -rl -- "@"${^would} >>'"$3"'
  builtin compadd "$@"
}'
zpty -w shell 'show() { _main_complete; print -r -- "@@" >>'"$3"'; compstate[insert]=; compstate[list]= }; zle -C show complete-word show; bindkey "^I" show'
zpty -w -n shell "$2"$'\t'
for ((i = 0; i < 600; i++)); do
  zpty -rt shell line
  [[ -e $3 ]] && grep -q '^@@$' "$3" && break
  sleep 0.02
done
zpty -d shell
