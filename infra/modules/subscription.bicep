// What a registration may do on one managed subscription: a custom role of exactly the table's actions, which can be assigned
// on this subscription only, and its assignment. A definition for each, so that adding or leaving out a subscription touches
// no other.

targetScope = 'subscription'

@description('Name of the role; the subscription\'s id is added, since role names are unique in a tenant.')
param roleName string

@description('What the role is for.')
param roleDescription string

@description('The actions of the role, from permissions.json.')
param actions string[]

@description('Object id of the service principal that gets the role.')
param principalId string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, roleName)
  properties: {
    roleName: '${roleName} ${subscription().subscriptionId}'
    description: roleDescription
    type: 'CustomRole'
    permissions: [
      {
        actions: actions
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, roleName, principalId)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
  }
}
