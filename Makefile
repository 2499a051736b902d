# Windows has no make: docs/en/guides/start.md says what to type there.

# Another Python than the newest on the PATH: make setup PYTHON=/path/to/python3
MODEL = smollm2:135m
bin = .venv/bin

help:
	@echo 'make run     set everything up, fetch the starter model, open the studio in the browser'
	@echo 'make chat    the same with a conversation in this terminal'
	@echo 'make test    run the tests                      (one file: make test TESTS=tests/test_machine.py)'
	@echo 'make lint    check format, rules, types and layers'
	@echo 'make fix     put right what lint can put right by itself'
	@echo 'make bench   measure against other systems on this computer'
	@echo 'make docs    write the generated parts of docs/ and both READMEs anew'
	@echo 'make setup   install into .venv what make run needs'
	@echo 'make sign    sign the records of the models that are made here: make sign KEY=/path/to/key'
	@echo 'make lock    choose the versions in requirements/ anew'
	@echo 'make clean   delete .venv and what the checks left behind; models and conversations stay'

setup:
	@sh requirements/install.sh

development:
	@sh requirements/install.sh dev

run: setup
	$(bin)/abierto pull $(MODEL)
	$(bin)/abierto serve --open

chat: setup
	$(bin)/abierto pull $(MODEL)
	$(bin)/abierto chat --model $(MODEL)

test: development
	$(bin)/python -m pytest $(TESTS)

# Every check runs, whatever the earlier ones said.
lint: development
	@failed=0; \
	command -v tsc >/dev/null || { failed=1; \
	    echo 'The scripts of the studio are not checked: there is no TypeScript compiler. Debian, Ubuntu: sudo apt install'; \
	    echo 'node-typescript. Elsewhere: npm install --global typescript'; }; \
	PATH="$(bin):$$PATH"; \
	for check in 'ruff format --check' 'ruff check' 'mypy' 'lint-imports --no-logo' 'tsc --project jsconfig.json'; do \
	    echo "$$check"; $$check || failed=1; \
	done; exit $$failed

fix: development
	-$(bin)/ruff check --fix
	$(bin)/ruff format

bench: development
	$(bin)/python -m bench

check-cards: development
	$(bin)/python -m docs.check_cards $(CARDS)

docs: development
	$(bin)/python -m docs.generate

# Of the records of a model that is made here, with a maintainer's own SSH key; it is verified with
# ssh-keygen -Y verify -f ALLOWED_SIGNERS -I WHO -n abierto -s chain.json.sig < chain.json
sign:
	@test -n "$(KEY)" || { echo 'make sign KEY=/path/to/key' >&2; exit 2; }
	cd models/trazo/records && ssh-keygen -Y sign -n abierto -f "$(abspath $(KEY))" <chain.json >chain.json.sig.part
	cd models/trazo/records && mv chain.json.sig.part chain.json.sig

lock: setup
	@$(bin)/python -m pip install --quiet --require-hashes --requirement requirements/lock.txt
	$(bin)/python requirements/lock.py

clean:
	rm -rf .venv .cache dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find abierto tests bench docs requirements -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help setup development run chat test lint fix bench docs check-cards sign lock clean
